import { scaledFromDecimal } from "../settlement/decimal.ts";
import { PRICE_DIGITS } from "../settlement/money.ts";
import type { Direction, SettlementRules } from "../settlement/settlement-rules.ts";
import { clearedEnergyWh, type TradedInterval } from "../settlement/traded-interval.ts";
import type { IntervalRecord } from "./log-record.ts";

/**
 * A record of the interval log as something to settle by some rules: in one direction, or in both where the rules are for
 * both. Then each way stands there only if anything flowed or was to flow that way; an interval in which nothing did, and a
 * gap, stand there once.
 */
export function tradesFromRecord(record: IntervalRecord, rules: SettlementRules): readonly TradedInterval[] {
  const trade = tradeFromRecord(record, rules.direction);
  if (rules.reverse === undefined) return [trade];
  const other = tradeFromRecord(record, rules.direction === "IMPORT" ? "EXPORT" : "IMPORT");
  if (record.quality === "GAP") return [trade];
  const busy = [trade, other].filter(({ meteredWh, clearedWh = 0 }) => meteredWh !== 0 || clearedWh > 0);
  return busy.length === 0 ? [trade] : busy;
}

/** A record of the interval log as something to settle, in one direction. */
export function tradeFromRecord(record: IntervalRecord, direction: Direction): TradedInterval {
  const startMs = Date.parse(record.start);
  const endMs = Date.parse(record.end);
  const meteredWh = direction === "IMPORT" ? record.importWh : record.exportWh;
  const { setpointW, pricePerKWh, adderPerKWh, currency, orderId, reason } = record;
  const micro = (text: string) => scaledFromDecimal(text, PRICE_DIGITS, `record ${record.seq}`);
  return {
    era: record.era,
    direction,
    startMs,
    endMs,
    quality: record.quality,
    ...(orderId !== undefined && { orderId }),
    ...(reason !== undefined && { reason }),
    ...(meteredWh !== undefined && { meteredWh }),
    ...(setpointW !== undefined && { clearedWh: clearedEnergyWh(setpointW, endMs - startMs, direction) }),
    ...(pricePerKWh !== undefined && { microPerKWh: micro(pricePerKWh) }),
    ...(currency !== undefined && { currency }),
    ...(adderPerKWh !== undefined && { adderMicroPerKWh: micro(adderPerKWh) }),
  };
}
