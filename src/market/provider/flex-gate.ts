import { randomUUID } from "node:crypto";
import { callbackTo } from "./callback.ts";
import { contractMessage } from "./contract-callbacks.ts";
import { without } from "./effect.ts";
import { clearFlex, type FlexResult } from "./flex-clearing.ts";
import { type FlexNeed, type MarketRules, needEndMs } from "./market-rules.ts";
import type { FlexContract, ProviderChange, TransactionRecord } from "./provider-records.ts";

/** Name of the round in which a need is cleared. */
export function needRoundId(need: FlexNeed): string {
  return `need-${need.id}`;
}

interface FlexBidder {
  readonly record: TransactionRecord;
  readonly flex: FlexContract;
}

/** Clears all contracts that are committed to a need, interval by interval; each gets its `on_confirm`. */
export function closeNeed(
  open: Iterable<TransactionRecord>,
  need: FlexNeed,
  rules: MarketRules,
  nowMs: number,
): ProviderChange {
  const bidders = [...open].flatMap((record): FlexBidder[] => {
    const { flex, committed } = record;
    return flex?.needId === need.id && committed !== undefined ? [{ record, flex }] : [];
  });
  const cleared = bidders.map(({ flex }): { capacityKW: number; pricePerKWh?: number }[] =>
    flex.offers.map(() => ({ capacityKW: 0 })),
  );
  const intervals = need.requestedKW.map((needKW, interval): FlexResult => {
    const places = bidders.flatMap(({ flex }, bidder) =>
      flex.offers.flatMap((offer, at) => (offer.interval === interval ? [{ bidder, at, points: offer.points }] : [])),
    );
    const result = clearFlex(
      places.map(({ points }) => points),
      needKW,
      need.slope,
    );
    for (const [index, { bidder, at }] of places.entries()) {
      const list = cleared[bidder];
      if (list === undefined) continue;
      const { pricePerKWh } = result;
      list[at] = { capacityKW: result.clearedKW[index] ?? 0, ...(pricePerKWh !== undefined && { pricePerKWh }) };
    }
    return result;
  });
  const transactions = bidders.map(
    ({ record, flex }, index): TransactionRecord => ({
      ...without(record, "committed"),
      flex: { ...flex, cleared: cleared[index] ?? [] },
      updatedAtMs: nowMs,
    }),
  );
  const callbacks = transactions.map((record, index) =>
    callbackTo(record, rules, {
      action: "on_confirm",
      messageId: bidders[index]?.record.committed ?? randomUUID(),
      requestSignature: record.committedSignature,
      message: contractMessage(record, rules),
      nowMs,
      ttlMs: Math.max(needEndMs(need) - nowMs, 1000),
    }),
  );
  const contracts = bidders.map(({ record, flex }, index) => ({
    bapId: record.bapId,
    transactionId: record.transactionId,
    cleared: flex.offers.map(({ interval }, at) => ({ interval, ...cleared[index]?.[at] })),
  }));
  return {
    transactions,
    callbacks,
    round: {
      roundId: needRoundId(need),
      validFromMs: need.startMs,
      validUntilMs: needEndMs(need),
      closedAtMs: nowMs,
      currency: rules.dialect.currency,
      bids: bidders.length,
      result: { needId: need.id, intervals, contracts },
    },
  };
}
