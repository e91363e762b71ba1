import type { MarketRules } from "./market-rules.ts";
import type { Interval } from "./provider-records.ts";

/** An interval of the market and the moment at which its bids are closed, wall time, epoch ms. */
export interface GatedInterval extends Interval {
  readonly gateMs: number;
}

/** The interval whose gate closed last, at or before now. */
export function lastGated(rules: MarketRules, nowMs: number): GatedInterval {
  const { intervalMs, gateLeadMs } = rules;
  return intervalAt(rules, Math.floor((nowMs + gateLeadMs) / intervalMs) * intervalMs);
}

/** The first interval whose gate is still open. */
export function nextInterval(rules: MarketRules, nowMs: number): GatedInterval {
  return intervalAt(rules, lastGated(rules, nowMs).validFromMs + rules.intervalMs);
}

function intervalAt({ intervalMs, gateLeadMs }: MarketRules, startMs: number): GatedInterval {
  return { validFromMs: startMs, validUntilMs: startMs + intervalMs, gateMs: startMs - gateLeadMs };
}
