import type { ObjectiveOutlook } from "../model/objective.ts";
import { type ChargingNeed, hoursOf, missingKWh, rangeOf } from "./charging-need.ts";
import {
  type ChargingRange,
  fullEffortKWh,
  leastWhere,
  rampCeilingKW,
  rampFloorKW,
  slotEnergyKWh,
} from "./charging-ramp.ts";
import { pricedTimes } from "./forecast.ts";

/** Less than this is not worth to start a charger for that can't run slowly: the last digit of a meter's register, kWh. */
const REGISTER_STEP_KWH = 0.001;

/**
 * What part of the slot cannot wait, and what part is still of use. Powers are magnitudes of consumption, kW, that the
 * charger is told to hold in the slot; with a ramp it needs a part of the slot to get there.
 */
export interface Urgency {
  /** Drawn at any price: without it the energy is not there by the deadline. */
  readonly mustKW: number;
  /** The most that is still of use. */
  readonly canKW: number;
  /** The least to which a ramp lets the charger fall in this slot, whatever the price. */
  readonly floorKW: number;
  /** Energy that can't be delivered by the deadline any more even at full power from now on, kWh at the meter. */
  readonly shortfallKWh: number;
}

/**
 * Splits a charging need into must-run and can-run for one slot.
 *
 * must = the least power with which full effort in all the time after this slot still delivers what is needed at any
 * price (`minChargeKWh`, else the whole target); can = min(maximum, all that is missing). A charger that can't run slower
 * than `minRunKW` must and can run at that or not at all.
 */
export function urgency(need: ChargingNeed): Urgency {
  const { slotHours, laterHours } = hoursOf(need);
  const { mustKWh, canKWh } = missingKWh(need);
  if (slotHours === 0) return { mustKW: 0, canKW: 0, floorKW: 0, shortfallKWh: mustKWh };
  const range = rangeOf(need);
  const floorKW = rampFloorKW(range, slotHours);
  const ceilingKW = rampCeilingKW(range, slotHours);
  const laterShare = 1 - (need.reserveShare ?? 0);
  const reachedKWh = (endKW: number) =>
    slotEnergyKWh(range, endKW, slotHours) + laterShare * fullEffortKWh(range, endKW, laterHours);
  const smallestKWh = range.minRunKW > 0 ? REGISTER_STEP_KWH : 0;

  const mustKW = mustKWh <= smallestKWh ? 0 : leastPower(range, floorKW, ceilingKW, (kW) => reachedKWh(kW) >= mustKWh);
  const usefulKW = canKWh <= smallestKWh ? 0 : mostPower(range, floorKW, ceilingKW, slotHours, canKWh);
  return {
    mustKW,
    canKW: Math.max(mustKW, usefulKW, floorKW),
    floorKW,
    shortfallKWh: Math.max(0, mustKWh - fullEffortKWh(range, range.presentKW, slotHours + laterHours)),
  };
}

/**
 * How the objective stands if the charger holds `drawKW` in this slot and does its best after it. With `HARD_PRICE` and a
 * forecast, its best leaves out the times that are expected to cost more than `maxPricePerKWh`.
 *
 * @param drawKW consumption in the slot, kW, ≥ 0; its best in this slot too unless given
 */
export function outlook(need: ChargingNeed, drawKW?: number): ObjectiveOutlook {
  const { slotHours, laterHours } = hoursOf(need);
  const { mustKWh } = missingKWh(need);
  if (mustKWh <= REGISTER_STEP_KWH) return { status: "REACHED", shortfallKWh: 0 };
  const range = rangeOf(need);
  const endKW = drawKW ?? (slotHours === 0 ? 0 : rampCeilingKW(range, slotHours));
  const reachedKWh =
    slotEnergyKWh(range, endKW, slotHours) + fullEffortKWh(range, endKW, Math.max(0, laterHours - barredHours(need)));
  const shortfallKWh = (mustKWh - reachedKWh) * (need.chargingEfficiency ?? 1);
  // Half a watt-hour is what rounding and a register's last digit leave.
  return shortfallKWh <= REGISTER_STEP_KWH / 2
    ? { status: "ON_TRACK", shortfallKWh: 0 }
    : { status: "OBJECTIVE_AT_RISK", shortfallKWh };
}

/** Hours after the slot in which nothing will be bought, because the price is expected to be above a hard cap. */
function barredHours(need: ChargingNeed): number {
  const { maxPricePerKWh, priceMode, deadlineMs } = need.objective;
  if (priceMode !== "HARD_PRICE" || maxPricePerKWh === undefined) return 0;
  return pricedTimes(need.forecast ?? [], need.slotEndMs, deadlineMs)
    .filter((time) => time.pricePerKWh > maxPricePerKWh)
    .reduce((sum, time) => sum + time.hours, 0);
}

function leastPower(
  range: ChargingRange,
  floorKW: number,
  ceilingKW: number,
  isEnough: (endKW: number) => boolean,
): number {
  // A floor that the ramp sets is no urgency of its own.
  if (isEnough(floorKW)) return 0;
  return leastWhere(Math.min(Math.max(floorKW, range.minRunKW), ceilingKW), ceilingKW, isEnough);
}

function mostPower(
  range: ChargingRange,
  floorKW: number,
  ceilingKW: number,
  slotHours: number,
  canKWh: number,
): number {
  if (range.rampKWPerHour === Number.POSITIVE_INFINITY) {
    return Math.max(range.minRunKW, Math.min(ceilingKW, canKWh / slotHours));
  }
  const lowestKW = Math.min(Math.max(floorKW, range.minRunKW), ceilingKW);
  return leastWhere(lowestKW, ceilingKW, (endKW) => slotEnergyKWh(range, endKW, slotHours) >= canKWh);
}
