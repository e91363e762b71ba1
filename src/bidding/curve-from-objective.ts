import { type BidCurve, powerRangeAt } from "../model/bid-curve.ts";
import { type ChargingNeed, hoursOf, missingKWh, rangeOf } from "./charging-need.ts";
import { curveOfRamps, jumpAt, type PowerRamp } from "./curve-of-ramps.ts";
import { type PricedTime, pricedTimes } from "./forecast.ts";
import { runnableCurve } from "./semi-continuous.ts";
import { urgency } from "./urgency.ts";

/**
 * The bid curve of a car with a goal: must-run at any price, the rest up to `maxPricePerKWh`. With `HARD_PRICE` nothing at
 * all above that price, except what a ramp can't shed within the slot.
 *
 * With a forecast the car wants now only what cheaper later slots can't supply, which is the least cost for that forecast.
 * Without one, the share that can wait is offered on a slope that starts the earlier the more time is left.
 */
export function curveFromObjective(need: ChargingNeed): BidCurve {
  const { mustKW, canKW, floorKW } = urgency(need);
  const { maxPricePerKWh, priceMode, deadlineMs } = need.objective;
  const leastKW = Math.max(mustKW, floorKW);
  const aboveCapKW = priceMode === "HARD_PRICE" ? floorKW : leastKW;
  const forecast = pricedTimes(need.forecast ?? [], need.slotEndMs, deadlineMs);
  const ramps =
    forecast.length > 0 ? rampsByForecast(need, forecast, leastKW, canKW) : rampsByLaxity(need, leastKW, canKW);
  let curve = curveOfRamps(-canKW, ramps, need.currency, maxPricePerKWh);
  if (maxPricePerKWh !== undefined) {
    const belowKW = powerRangeAt(curve, maxPricePerKWh).lowKW;
    curve = jumpAt(curve, maxPricePerKWh, aboveCapKW === 0 ? 0 : -aboveCapKW, belowKW);
  }
  return runnableCurve(curve, rangeOf(need).minRunKW);
}

/**
 * At each forecast price the draw falls by what slots at that price can supply: energy wanted now is what is missing less
 * what all cheaper later slots can give.
 */
function rampsByForecast(
  need: ChargingNeed,
  forecast: readonly PricedTime[],
  leastKW: number,
  canKW: number,
): PowerRamp[] {
  const { slotHours } = hoursOf(need);
  const { canKWh } = missingKWh(need);
  const spread = need.spreadPerKWh ?? 0;
  const hoursAt = new Map<number, number>();
  for (const { pricePerKWh, hours } of forecast) hoursAt.set(pricePerKWh, (hoursAt.get(pricePerKWh) ?? 0) + hours);
  let cheaperKWh = 0;
  let wantedKW = canKW;
  return [...hoursAt]
    .sort(([a], [b]) => a - b)
    .map(([pricePerKWh, hours]) => {
      const beforeKW = wantedKW;
      cheaperKWh += need.maxKW * hours;
      wantedKW = Math.max(leastKW, Math.min(beforeKW, (canKWh - cheaperKWh) / slotHours));
      return {
        fromPricePerKWh: pricePerKWh - spread,
        toPricePerKWh: pricePerKWh + spread,
        riseKW: beforeKW - wantedKW,
      };
    });
}

/**
 * Without a forecast the draw falls on a line that ends at the price cap. It starts at the cap with no time to lose, and
 * at the floor price with all the time in the world. Without a cap all that is of use is wanted at any price.
 */
function rampsByLaxity(need: ChargingNeed, leastKW: number, canKW: number): PowerRamp[] {
  const cap = need.objective.maxPricePerKWh;
  if (cap === undefined) return [];
  const { slotHours, laterHours } = hoursOf(need);
  const hoursLeft = slotHours + laterHours;
  const busyHours = missingKWh(need).canKWh / need.maxKW;
  const laxityShare = hoursLeft === 0 ? 0 : Math.min(Math.max(1 - busyHours / hoursLeft, 0), 1);
  const floor = Math.min(cap, need.floorPricePerKWh ?? (cap > 0 ? cap / 2 : cap));
  return [{ fromPricePerKWh: cap - (cap - floor) * laxityShare, toPricePerKWh: cap, riseKW: canKW - leastKW }];
}
