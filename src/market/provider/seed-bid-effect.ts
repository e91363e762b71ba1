import { type Effect, moved, opened, without } from "./effect.ts";
import { nextInterval } from "./gate-times.ts";
import type { MarketRules } from "./market-rules.ts";
import type { Offer, TransactionRecord } from "./provider-records.ts";
import type { ProviderRequest } from "./request.ts";
import { bidOf, checkEra, outbid } from "./seed-bid.ts";
import { catalogMessage, orderMessage } from "./seed-callbacks.ts";
import { reply, touched } from "./seed-reply.ts";
import type { SeedRequest } from "./seed-requests.ts";
import type { TransactionBook } from "./transaction-book.ts";

/** A curve, or a question what the market has. */
export function bidEffect(
  request: ProviderRequest,
  read: SeedRequest,
  known: TransactionRecord | undefined,
  book: TransactionBook,
  rules: MarketRules,
): Effect {
  const { action, context, nowMs } = request;
  const bid = bidOf(request, read, rules);
  if (known !== undefined) checkEra(read, known);
  const base = known ?? opened(request, read.era);
  // A question without a new curve changes nothing about the bid, nor about the offer made for it.
  const isNew = known === undefined || bid !== undefined;
  const state = isNew ? moved(known, "discover") : base.state;
  const answersLater = action === "discover" && bid !== undefined && rules.discovery === "offerThenConfirm";
  let record = touched(request, {
    ...(bid === undefined ? base : without(base, "offer")),
    state,
    ...(read.era !== undefined && { era: read.era, eraGiven: true }),
    ...(bid !== undefined && { bid, missedOffers: 0 }),
    ...(read.roleKey !== undefined && { roleKey: read.roleKey }),
    ...(read.objectives !== undefined && { objectives: read.objectives }),
    ...(read.orderId !== undefined && { orderId: read.orderId }),
    ...(answersLater && { unanswered: context.messageId }),
  });
  if (bid !== undefined && rules.discovery === "clearAtConfirm") record = payAsClearOffer(record, rules, nowMs);
  const rivals = bid === undefined ? [] : book.rivals(record).map((rival) => outbid(rival, nowMs));
  const transactions = [record, ...rivals];
  if (answersLater) return { transactions, callbacks: [] };
  const message = action === "discover" ? catalogMessage(record, rules) : orderMessage(record, rules);
  return { transactions, callbacks: [reply(request, record, message, rules)] };
}

/** An offer whose price is found once it was confirmed. */
function payAsClearOffer(record: TransactionRecord, rules: MarketRules, nowMs: number): TransactionRecord {
  const { validFromMs, validUntilMs, gateMs } = nextInterval(rules, nowMs);
  const offer: Offer = {
    offerId: `pay-as-clear-${record.transactionId}`,
    roundId: "pay-as-clear",
    powerKW: 0,
    validFromMs,
    validUntilMs,
    confirmByMs: gateMs,
  };
  return { ...record, state: moved(record, "offer"), offer };
}
