import { firstWithPower, isMarketPrice, type PriceGraph, powerAfter, powerBefore } from "./price-graph.ts";

/**
 * How a power stands to the bid that it is the answer to. `AS_BID`: the bid accepts it at the price. `SHARED`: so it does,
 * within a jump that was wider than what was left. `MORE`: more export or less consumption than the bid asked for.
 * `LESS`: less export or more consumption.
 */
export type BidKept = "AS_BID" | "SHARED" | "MORE" | "LESS";

/** Rounding of powers, kW, and of prices, relative where they are large. */
const ROUNDING = 1e-9;

/** @param accepted what the bid itself accepts, without rationing */
export function bidKept(accepted: PriceGraph, pricePerKWh: number, powerKW: number): BidKept {
  const near = ROUNDING * Math.max(1, Math.abs(pricePerKWh));
  const tolerance = ROUNDING * Math.max(1, Math.abs(powerKW));
  if (powerKW > powerAfter(accepted, pricePerKWh + near, Number.POSITIVE_INFINITY) + tolerance) return "MORE";
  if (powerKW < powerBefore(accepted, pricePerKWh - near, Number.NEGATIVE_INFINITY) - tolerance) return "LESS";
  const top = firstWithPower(accepted, powerKW);
  const { prices, powers } = accepted;
  const price = prices[top];
  if (top === 0 || price === undefined || price !== prices[top - 1] || !isMarketPrice(price)) return "AS_BID";
  const within = powerKW - (powers[top - 1] as number) > tolerance && (powers[top] as number) - powerKW > tolerance;
  return within ? "SHARED" : "AS_BID";
}
