import { element, type OutElement, tag } from "../xml/xml-write.ts";

const XSI = "http://www.w3.org/2001/XMLSchema-instance";

/** Notification.status of a resource that has changed; the others end the subscription. 3, another definition, never comes. */
const CHANGED = 0;
const CANCELLED = 1;
const MOVED = 2;
const DELETED = 4;

/** The last Notification of a subscription that the server ends, and where the resource is now if it has moved. */
export function endingDocument(
  resource: string,
  subscriptionURI: string,
  why: "cancelled" | "deleted" | { readonly movedTo: string },
): OutElement {
  const status = why === "cancelled" ? CANCELLED : why === "deleted" ? DELETED : MOVED;
  return tag("Notification", {}, [
    element("subscribedResource", resource),
    typeof why === "object" ? element("newResourceURI", why.movedTo) : undefined,
    element("status", status),
    element("subscriptionURI", subscriptionURI),
  ]);
}

/** A Notification; `shown` is the resource as it would be read, absent where only the fact of a change is told. */
export function notificationDocument(resource: string, subscriptionURI: string, shown?: OutElement): OutElement {
  return tag("Notification", { "xmlns:xsi": XSI }, [
    element("subscribedResource", resource),
    shown && { ...shown, name: "Resource", attributes: { "xsi:type": shown.name, ...shown.attributes } },
    element("status", CHANGED),
    element("subscriptionURI", subscriptionURI),
  ]);
}
