import type { Era } from "../../model/resource.ts";
import type { FlexNeed } from "./deg-messages.ts";
import type { DialectName } from "./outgoing.ts";

/** What a person may ask the market about an order, beside what the gateway sends by itself. */
export const ORDER_ACTIONS = ["select", "status", "track", "cancel", "rating", "support"] as const;
export type OrderAction = (typeof ORDER_ACTIONS)[number];

/** An order as far as it is known, and what is said about it. */
export interface OrderQuestion {
  readonly era: Era;
  readonly orderId?: string;
  /** Why it is cancelled, for a person. */
  readonly reason?: string;
  /** How good it was, 1 to 5. */
  readonly stars?: number;
}

/** The name of an action on the wire: `rating` is `rate` since 2026. */
export function wireAction(action: OrderAction, dialect: DialectName): string {
  return action === "rating" && dialect === "deg" ? "rate" : action;
}

/** `message` of a question about an order. @param need what a `select` is about in the dialect of 2026 */
export function orderQuestion(
  action: OrderAction,
  question: OrderQuestion,
  dialect: DialectName,
  need: FlexNeed | undefined,
): object {
  const { era, orderId, reason, stars } = question;
  const id = orderId ?? era;
  if (action === "support") return { refId: id };
  if (action === "rating") return { ratings: [{ id, ratingCategory: "Order", value: stars ?? 5 }] };
  const cancellation = action === "cancel" && reason !== undefined ? { cancellation: { reason } } : {};
  if (dialect === "deg") {
    const commitments = need && [{ resources: [{ id: need.resourceId }], offer: { id: need.offerId } }];
    return {
      contract: {
        ...(orderId !== undefined && { id: orderId }),
        ...(action === "select" && commitments && { commitments }),
      },
      ...cancellation,
    };
  }
  return {
    order: {
      ...(orderId !== undefined && { "beckn:id": orderId }),
      ...(action === "select" && { "beckn:orderItems": [{ "beckn:orderedItem": era }] }),
      ...(action === "select" && { "beckn:orderAttributes": { "@type": "EnergyOrder", era } }),
    },
    ...cancellation,
  };
}
