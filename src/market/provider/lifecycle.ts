import { moved, without } from "./effect.ts";
import type { MarketRules } from "./market-rules.ts";
import type { TransactionRecord } from "./provider-records.ts";

/**
 * What time alone does to a transaction: offers lapse, intervals begin and end, bids that nobody renews expire.
 * @returns the record as it is now; the same object if nothing is due
 */
export function aged(record: TransactionRecord, rules: MarketRules, nowMs: number): TransactionRecord {
  let now = lapsed(record, rules, nowMs);
  const window = now.committed === undefined ? (now.flex?.window ?? now.order) : undefined;
  if (now.state === "CONFIRMED" && window !== undefined && window.validFromMs <= nowMs) {
    now = { ...now, state: moved(now, "begin"), updatedAtMs: nowMs };
  }
  if (now.state === "ACTIVE" && window !== undefined && window.validUntilMs <= nowMs) {
    now = { ...without(now, "bid", "offer", "unanswered"), state: moved(now, "end"), updatedAtMs: nowMs };
  }
  const waits = now.state === "DISCOVERED" || now.state === "OFFERED";
  if (waits && nowMs - now.updatedAtMs > rules.bidLifetimeMs) {
    now = { ...without(now, "bid", "offer", "unanswered"), state: moved(now, "expire"), updatedAtMs: nowMs };
  }
  return now;
}

function lapsed(record: TransactionRecord, rules: MarketRules, nowMs: number): TransactionRecord {
  const { offer, missedOffers } = record;
  if (offer === undefined || nowMs <= offer.confirmByMs) return record;
  const missed = missedOffers + 1;
  const next = { ...without(record, "offer"), state: moved(record, "lapse"), missedOffers: missed };
  if (next.state === "ACTIVE" || missed < rules.maxMissedOffers) return next;
  return { ...without(next, "bid"), state: moved(next, "expire"), updatedAtMs: nowMs };
}
