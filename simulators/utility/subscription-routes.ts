import { optionalNumber, required } from "../der/values.ts";
import { group, leaf, type XmlNode } from "../der/xml-out.ts";
import { type Answer, refusal } from "./answer.ts";
import { SUBSCRIPTIONS, withAttributes } from "./documents.ts";
import { listPage } from "./list-page.ts";
import { documentIn, type UtilityRequest } from "./request.ts";
import type { Subscription } from "./subscription-book.ts";
import type { Utility } from "./utility.ts";

/** Lists and resources of which a change is told; everything else is not subscribable. */
const SUBSCRIBABLE = /^\/edev(\/\d+\/(fsa(\/\d+\/derp)?|derp\/\d+\/(derc|dderc)))?$/;

export function subscriptionList(utility: Utility, request: UtilityRequest): Answer {
  if (request.method === "POST") return subscribe(utility, request);
  const items = utility.subscriptions.visibleTo(request.client).map(subscriptionNode);
  return { status: 200, document: listPage("SubscriptionList", SUBSCRIPTIONS, items, request.query) };
}

export function subscriptionResource(utility: Utility, id: number, request: UtilityRequest): Answer {
  const subscription = utility.subscriptions.visibleTo(request.client).find((one) => one.id === id);
  if (subscription === undefined) return refusal(404, "there is no such subscription");
  if (request.method === "DELETE") {
    utility.subscriptions.remove(subscription);
    return { status: 204 };
  }
  return { status: 200, document: subscriptionNode(subscription) };
}

function subscribe(utility: Utility, request: UtilityRequest): Answer {
  const root = documentIn(request, "Subscription");
  // An absolute address is as good as a path.
  const { pathname } = new URL(required(root, "subscribedResource").text, "https://utility.invalid");
  if (!SUBSCRIBABLE.test(pathname)) return refusal(400, `${pathname} is not subscribable`);
  const deviceId = Number(pathname.split("/")[2] ?? Number.NaN);
  const isOwn = utility.devices.visibleTo(request.client).some(({ id }) => id === deviceId);
  if (!Number.isNaN(deviceId) && !isOwn) return refusal(404, "there is no such device");
  if (required(root, "encoding").text !== "0") return refusal(400, "only encoding 0 (XML) is served");
  const uri = required(root, "notificationURI").text;
  if (!/^https?:\/\//.test(uri) || !URL.canParse(uri))
    return refusal(400, "notificationURI is no http or https address");
  const limit = optionalNumber(root, "limit", 0, 2 ** 32 - 1) ?? 1;
  const { subscription, isNew } = utility.subscriptions.put({ owner: request.client, resource: pathname, uri, limit });
  return { status: isNew ? 201 : 204, location: `${SUBSCRIPTIONS}/${subscription.id}` };
}

function subscriptionNode({ id, resource, limit, uri }: Subscription): XmlNode {
  return withAttributes(
    group(
      "Subscription",
      leaf("subscribedResource", resource),
      leaf("encoding", 0),
      leaf("level", "+S1"),
      leaf("limit", limit),
      leaf("notificationURI", uri),
    ),
    { href: `${SUBSCRIPTIONS}/${id}` },
  );
}
