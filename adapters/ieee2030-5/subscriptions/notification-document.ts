import { element, type OutElement, tag } from "../xml/xml-write.ts";

const XSI = "http://www.w3.org/2001/XMLSchema-instance";

/** Notification.status of a resource that has changed. The others end a subscription, which here a device does itself. */
const CHANGED = 0;

/** A Notification; `shown` is the resource as it would be read, absent where only the fact of a change is told. */
export function notificationDocument(resource: string, subscriptionURI: string, shown?: OutElement): OutElement {
  return tag("Notification", { "xmlns:xsi": XSI }, [
    element("subscribedResource", resource),
    shown && { ...shown, name: "Resource", attributes: { "xsi:type": shown.name, ...shown.attributes } },
    element("status", CHANGED),
    element("subscriptionURI", subscriptionURI),
  ]);
}
