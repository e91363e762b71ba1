import { scaledFromDecimal } from "../settlement/decimal.ts";
import { PRICE_DIGITS } from "../settlement/money.ts";
import { clearedEnergyWh, type TradedInterval } from "../settlement/traded-interval.ts";
import type { IntervalRecord } from "./log-record.ts";

/** A record of the interval log as something to settle, in one direction. */
export function tradeFromRecord(record: IntervalRecord, direction: "IMPORT" | "EXPORT"): TradedInterval {
  const startMs = Date.parse(record.start);
  const endMs = Date.parse(record.end);
  const meteredWh = direction === "IMPORT" ? record.importWh : record.exportWh;
  const { setpointW, pricePerKWh, adderPerKWh, currency, orderId, reason } = record;
  const micro = (text: string) => scaledFromDecimal(text, PRICE_DIGITS, `record ${record.seq}`);
  return {
    era: record.era,
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
