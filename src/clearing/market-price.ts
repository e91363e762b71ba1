import type { ClearingResult, ClearingRules, ClearingStatus } from "./clearing-types.ts";
import type { Crossing } from "./find-crossing.ts";

/** What a clearing says before anybody has a setpoint. */
export type MarketPrice = Pick<ClearingResult, "status" | "pricePerKWh" | "plateau">;

/** Who is there at all: with only one side, nobody can trade. */
export interface Sides {
  readonly bids: number;
  /** Bids that generate at some price of the market, and bids that consume at one. */
  readonly generating: number;
  readonly consuming: number;
}

/**
 * The price that follows from a crossing.
 *
 * On a plateau: its middle; if one side is open, the other; if both are, the last price, else the base price, else 0. A
 * price limit of the market is no end of a plateau, as nobody asked for it; but no price leaves the limits.
 *
 * Where even the highest price calls up too little (the lowest still too much) that is the price; a market without such a
 * limit takes the last (first) price at which anything changes.
 */
export function marketPrice(crossing: Crossing, rules: ClearingRules, sides: Sides): MarketPrice {
  if (sides.bids === 0) return { status: "EMPTY" };
  if (crossing.kind === "UNDER") return limitPrice("SHORTAGE", rules.maxPricePerKWh, crossing.pricePerKWh, rules);
  if (crossing.kind === "OVER") return limitPrice("OVERSUPPLY", rules.minPricePerKWh, crossing.pricePerKWh, rules);
  const canSell = sides.generating > 0 || rules.targetKW < 0;
  const canBuy = sides.consuming > 0 || rules.targetKW > 0;
  if (!canSell || !canBuy) return { status: "EMPTY" };
  if (crossing.kind === "AT") return { status: "CLEARED", pricePerKWh: crossing.pricePerKWh };
  if (crossing.kind === "JUMP") return { status: "RATIONED", pricePerKWh: crossing.pricePerKWh };
  const { fromPerKWh, toPerKWh } = crossing;
  const pricePerKWh = plateauPrice(fromPerKWh, toPerKWh, rules);
  // What ends at a price limit goes on no further, so a band that begins there has no width.
  const hasNoWidth =
    (fromPerKWh !== undefined && fromPerKWh === rules.maxPricePerKWh) ||
    (toPerKWh !== undefined && toPerKWh === rules.minPricePerKWh) ||
    (rules.minPricePerKWh !== undefined && rules.minPricePerKWh === rules.maxPricePerKWh);
  if (hasNoWidth) return { status: "CLEARED", pricePerKWh };
  const plateau = {
    ...(fromPerKWh !== undefined && { fromPerKWh }),
    ...(toPerKWh !== undefined && { toPerKWh }),
  };
  return { status: "PLATEAU", pricePerKWh, plateau };
}

function plateauPrice(from: number | undefined, to: number | undefined, rules: ClearingRules): number {
  if (from !== undefined && to !== undefined) return from + (to - from) / 2;
  return from ?? to ?? freePrice(rules);
}

/** The price where no bid says anything about it. */
function freePrice(rules: ClearingRules): number {
  const { minPricePerKWh = Number.NEGATIVE_INFINITY, maxPricePerKWh = Number.POSITIVE_INFINITY } = rules;
  const wanted = rules.lastPricePerKWh ?? rules.basePricePerKWh ?? 0;
  return Math.min(Math.max(wanted, minPricePerKWh), maxPricePerKWh);
}

function limitPrice(
  status: ClearingStatus,
  limit: number | undefined,
  change: number | undefined,
  rules: ClearingRules,
): MarketPrice {
  return { status, pricePerKWh: limit ?? change ?? freePrice(rules) };
}

/** @throws RangeError if a rule is no number or contradicts another */
export function checkRules(rules: ClearingRules): void {
  const { targetKW, minPricePerKWh, maxPricePerKWh, lastPricePerKWh, basePricePerKWh, rampWindowMs } = rules;
  const numbers = { targetKW, minPricePerKWh, maxPricePerKWh, lastPricePerKWh, basePricePerKWh, rampWindowMs };
  for (const [name, value] of Object.entries(numbers)) {
    if (value !== undefined && !Number.isFinite(value))
      throw new RangeError(`${name} must be a finite number, got ${value}`);
  }
  if (rampWindowMs !== undefined && rampWindowMs < 0)
    throw new RangeError(`rampWindowMs must not be negative, got ${rampWindowMs}`);
  if (minPricePerKWh !== undefined && maxPricePerKWh !== undefined && minPricePerKWh > maxPricePerKWh) {
    throw new RangeError(`minPricePerKWh ${minPricePerKWh} is above maxPricePerKWh ${maxPricePerKWh}`);
  }
}
