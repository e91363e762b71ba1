import { Declined } from "./declined.ts";
import { clearedOrder, type Effect, moved, opened, running, without } from "./effect.ts";
import type { MarketRules } from "./market-rules.ts";
import type { Offer, Order, TransactionRecord } from "./provider-records.ts";
import type { ProviderRequest } from "./request.ts";
import { bidOf, checkEra, outbid } from "./seed-bid.ts";
import { orderMessage } from "./seed-callbacks.ts";
import { reply, touched } from "./seed-reply.ts";
import type { SeedRequest } from "./seed-requests.ts";
import type { TransactionBook } from "./transaction-book.ts";

/** Prices that differ by less are the same number written twice. */
const SAME_PRICE_PER_KWH = 1e-9;

/** `confirm` of an offer: both sides are bound from here on. */
export function confirmEffect(
  request: ProviderRequest,
  read: SeedRequest,
  known: TransactionRecord,
  rules: MarketRules,
): Effect {
  const { nowMs } = request;
  const { offer } = known;
  checkEra(read, known);
  if (offer === undefined) {
    throw new Declined(
      "OFFER_UNKNOWN",
      "",
      `nothing that could be confirmed is offered; the transaction is ${known.state}`,
    );
  }
  if (nowMs > offer.confirmByMs) {
    const until = new Date(offer.confirmByMs).toISOString();
    throw new Declined("OFFER_EXPIRED", read.accepted.fields.pathOf("id"), `it could be confirmed until ${until}`);
  }
  checkAccepted(read, offer, rules);
  const { offerId: _offerId, confirmByMs: _confirmByMs, ...allotment } = offer;
  const order: Order = { ...allotment, confirmedAtMs: nowMs };
  const record = touched(request, {
    ...without(known, "offer", "unanswered"),
    state: moved(known, "confirm"),
    order,
    ...running(known, nowMs),
    missedOffers: 0,
    ...(read.orderId !== undefined && { orderId: read.orderId }),
    ...(read.objectives !== undefined && { objectives: read.objectives }),
  });
  const message = orderMessage(record, rules, order);
  const ttlMs = Math.max(order.validUntilMs - nowMs, 1000);
  return {
    transactions: [record],
    callbacks: [reply(request, record, message, rules, ttlMs)],
    orders: [clearedOrder(record, order)],
  };
}

/** `confirm` before the price is known: the next gate clears it and answers. */
export function commitEffect(
  request: ProviderRequest,
  read: SeedRequest,
  known: TransactionRecord | undefined,
  book: TransactionBook,
  rules: MarketRules,
): Effect {
  const { context, nowMs } = request;
  if (known !== undefined) checkEra(read, known);
  const base = known ?? opened(request, read.era);
  const bid = bidOf(request, read, rules) ?? base.bid;
  if (bid === undefined) {
    throw new Declined("CURVE_INVALID", "message.order", "there is no curve, neither here nor in an earlier message");
  }
  if (read.accepted.currency !== undefined) checkCurrency(read, rules);
  const record = touched(request, {
    ...without(base, "offer", "unanswered"),
    state: moved(base, "confirm"),
    bid,
    committed: context.messageId,
    ...(read.era !== undefined && { era: read.era, eraGiven: true }),
    ...(read.roleKey !== undefined && { roleKey: read.roleKey }),
    ...(read.objectives !== undefined && { objectives: read.objectives }),
    ...(read.orderId !== undefined && { orderId: read.orderId }),
  });
  return { transactions: [record, ...book.rivals(record).map((rival) => outbid(rival, nowMs))], callbacks: [] };
}

function checkAccepted(read: SeedRequest, offer: Offer, rules: MarketRules): void {
  const { offerId, pricePerKWh, fields } = read.accepted;
  if (offerId !== undefined && offerId !== offer.offerId) {
    throw new Declined("OFFER_MISMATCH", fields.pathOf("id"), `the offer that is open is ${offer.offerId}`);
  }
  const isOther = pricePerKWh !== undefined && offer.pricePerKWh !== undefined;
  if (isOther && Math.abs(pricePerKWh - offer.pricePerKWh) > SAME_PRICE_PER_KWH) {
    const fault = `the clearing price is ${offer.pricePerKWh}, not ${pricePerKWh}`;
    throw new Declined("OFFER_MISMATCH", fields.pathOf("price"), fault);
  }
  checkCurrency(read, rules);
}

function checkCurrency({ accepted }: SeedRequest, rules: MarketRules): void {
  const { currency } = rules.dialect;
  if (accepted.currency === undefined || accepted.currency === currency) return;
  throw new Declined("OFFER_MISMATCH", accepted.fields.pathOf("price"), `this market trades in ${currency}`);
}
