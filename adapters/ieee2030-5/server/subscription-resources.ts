import type { PolledDevice } from "../polled-device.ts";
import { addressFault } from "../subscriptions/notification-address.ts";
import {
  readSubscription,
  type SubscriptionTerms,
  subscriptionDocument,
} from "../subscriptions/subscription-document.ts";
import { MOST_SUBSCRIPTIONS } from "../subscriptions/subscriptions.ts";
import { type Answer, changed, created, failure } from "./answer.ts";
import type { DevicePaths } from "./paths.ts";
import { list, type Resource, single } from "./resource.ts";

/** What a device wants to be told of, instead of asking again and again. */
export function subscriptionResources(device: PolledDevice, paths: DevicePaths): [string, Resource][] {
  const { subscriptions } = device;
  const hrefOf = (id: number) => `${paths.subscriptions}/${id}`;
  const take = (terms: SubscriptionTerms, peerAddress: string, done: () => Answer): Answer => {
    if (!device.maySubscribe(terms.resource)) return failure(400, "subscribedResource can't be subscribed to");
    const fault = addressFault(terms.notificationURI, peerAddress, device.notificationHost);
    return fault === undefined ? done() : failure(403, fault);
  };
  return [
    [
      paths.subscriptions,
      {
        ...list("SubscriptionList", { href: paths.subscriptions, pollRate: device.rates.pollRateS() }, () =>
          subscriptions.items.map(({ id, terms }) => subscriptionDocument(terms, hrefOf(id))),
        ),
        post: (document, peerAddress) => {
          const terms = readSubscription(document);
          return take(terms, peerAddress, () => {
            const added = device.subscribe(terms);
            if (added === undefined) return failure(403, `more than ${MOST_SUBSCRIPTIONS} subscriptions`);
            return added.isNew ? created(hrefOf(added.id)) : changed(hrefOf(added.id));
          });
        },
      },
    ],
    ...subscriptions.items.map(({ id, terms }): [string, Resource] => [
      hrefOf(id),
      {
        ...single(() => subscriptionDocument(terms, hrefOf(id))),
        put: (document, peerAddress) => {
          const anew = readSubscription(document);
          return take(anew, peerAddress, () => {
            subscriptions.replace(id, anew);
            return changed();
          });
        },
        remove: () => {
          subscriptions.remove(id);
          return changed();
        },
      },
    ]),
  ];
}
