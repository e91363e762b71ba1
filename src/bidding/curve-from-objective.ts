import type { BidCurve, BidPoint } from "../model/bid-curve.ts";
import type { Objective } from "../model/objective.ts";

const MS_PER_HOUR = 3_600_000;

/** A price that is expected for a time ahead. */
export interface ForecastSlot {
  readonly startMs: number;
  readonly endMs: number;
  readonly pricePerKWh: number;
}

/** What is known of a car when its curve is made. Powers are magnitudes of consumption, kW. */
export interface ChargingNeed {
  readonly objective: Objective;
  /** Energy delivered since the objective was set, kWh at the meter. */
  readonly deliveredKWh: number;
  /** Most that it can draw now, kW, > 0. */
  readonly maxKW: number;
  /** The interval that the curve is for. */
  readonly slotStartMs: number;
  readonly slotEndMs: number;
  /** Prices expected after this slot; absent or empty: none are known. */
  readonly forecast?: readonly ForecastSlot[];
  /** Share of the time ahead kept as a reserve against surprises, 0 to 1. */
  readonly reserveShare?: number;
  readonly currency: string;
}

/** What part of the slot's energy cannot wait, and what part is still useful, both as mean kW over the slot. */
export interface Urgency {
  /** Drawn at any price: without it the energy is not there by the deadline. */
  readonly mustKW: number;
  /** The most that is still of use. */
  readonly canKW: number;
  /** Energy that can't be delivered by the deadline any more even at full power from now on, kWh. */
  readonly shortfallKWh: number;
}

/**
 * Splits a charging need into must-run and can-run for one slot.
 *
 * must = what full power in all the time after this slot could not deliver; can = min(maximum, all that is missing).
 * The must-run part counts the energy that is needed at any price (`minChargeKWh`, else the whole target).
 */
export function urgency(need: ChargingNeed): Urgency {
  const { objective, maxKW, deliveredKWh } = need;
  const slotEndMs = Math.min(need.slotEndMs, objective.deadlineMs);
  const slotHours = Math.max(0, slotEndMs - need.slotStartMs) / MS_PER_HOUR;
  if (slotHours === 0) return { mustKW: 0, canKW: 0, shortfallKWh: missing(objective, deliveredKWh).mustKWh };
  const laterHours = Math.max(0, objective.deadlineMs - slotEndMs) / MS_PER_HOUR;
  const laterKWh = maxKW * laterHours * (1 - (need.reserveShare ?? 0));
  const { mustKWh, canKWh } = missing(objective, deliveredKWh);
  const mustKW = clamp((mustKWh - laterKWh) / slotHours, 0, maxKW);
  return {
    mustKW,
    canKW: Math.max(mustKW, Math.min(maxKW, canKWh / slotHours)),
    shortfallKWh: Math.max(0, mustKWh - maxKW * (slotHours + laterHours)),
  };
}

/**
 * The bid curve of a car with a goal: must-run at any price, the rest up to `maxPricePerKWh`.
 *
 * With a forecast the car wants now only what cheaper later slots can't supply, which is the least cost for that forecast.
 * Without one, the share that can wait is offered on a slope that starts the earlier the more time is left.
 */
export function curveFromObjective(need: ChargingNeed): BidCurve {
  const { mustKW, canKW } = urgency(need);
  const maxPrice = need.objective.maxPricePerKWh;
  const points: BidPoint[] = [];
  const add = (pricePerKWh: number, drawKW: number) =>
    points.push({ pricePerKWh, powerKW: drawKW === 0 ? 0 : -drawKW });
  const forecast = laterSlots(need);

  if (canKW === mustKW) {
    add(maxPrice ?? 0, mustKW);
  } else if (forecast.length > 0) {
    for (const { pricePerKWh, beforeKW, afterKW } of thresholds(need, forecast, { mustKW, canKW })) {
      if (maxPrice !== undefined && pricePerKWh >= maxPrice) break;
      add(pricePerKWh, beforeKW);
      add(pricePerKWh, afterKW);
    }
    if (maxPrice !== undefined) {
      add(maxPrice, -(points.at(-1)?.powerKW ?? -canKW));
      add(maxPrice, mustKW);
    }
  } else if (maxPrice === undefined) {
    // No bound and no forecast: all that is useful is wanted at any price.
    add(0, canKW);
  } else {
    add(maxPrice * slackStart(need), canKW);
    add(maxPrice, mustKW);
  }
  return { shape: "LINEAR", currency: need.currency, points: dropRepeats(points) };
}

/** Energy still missing, kWh at the meter. */
function missing(objective: Objective, deliveredKWh: number): { mustKWh: number; canKWh: number } {
  const mustKWh = Math.max(0, (objective.minChargeKWh ?? objective.targetChargeKWh) - deliveredKWh);
  const most = Math.min(objective.targetChargeKWh, objective.maxChargeKWh ?? Number.POSITIVE_INFINITY);
  return { mustKWh, canKWh: Math.max(mustKWh, most - deliveredKWh) };
}

/**
 * Where the slope starts, as a share of the price cap: at 1 with no time to lose (all is wanted up to the cap), at 0.5
 * with all the time in the world.
 */
function slackStart(need: ChargingNeed): number {
  const hoursLeft = Math.max(0, need.objective.deadlineMs - need.slotStartMs) / MS_PER_HOUR;
  const { canKWh } = missing(need.objective, need.deliveredKWh);
  const laxityShare = hoursLeft === 0 ? 0 : clamp(1 - canKWh / need.maxKW / hoursLeft, 0, 1);
  return 1 - 0.5 * laxityShare;
}

function laterSlots(need: ChargingNeed): readonly { pricePerKWh: number; hours: number }[] {
  return (need.forecast ?? [])
    .map((slot) => ({
      pricePerKWh: slot.pricePerKWh,
      hours:
        Math.max(0, Math.min(slot.endMs, need.objective.deadlineMs) - Math.max(slot.startMs, need.slotEndMs)) /
        MS_PER_HOUR,
    }))
    .filter((slot) => slot.hours > 0);
}

/** For each forecast price, rising: what is wanted just below it and just above it. */
function thresholds(
  need: ChargingNeed,
  forecast: readonly { pricePerKWh: number; hours: number }[],
  { mustKW, canKW }: { mustKW: number; canKW: number },
): readonly { pricePerKWh: number; beforeKW: number; afterKW: number }[] {
  const slotHours = (Math.min(need.slotEndMs, need.objective.deadlineMs) - need.slotStartMs) / MS_PER_HOUR;
  const { canKWh } = missing(need.objective, need.deliveredKWh);
  const wanted = (cheaperKWh: number) => clamp((canKWh - cheaperKWh) / slotHours, mustKW, canKW);
  const prices = [...new Set(forecast.map((slot) => slot.pricePerKWh))].sort((a, b) => a - b);
  let cheaperKWh = 0;
  return prices.map((pricePerKWh) => {
    const beforeKW = wanted(cheaperKWh);
    for (const slot of forecast) if (slot.pricePerKWh === pricePerKWh) cheaperKWh += need.maxKW * slot.hours;
    return { pricePerKWh, beforeKW, afterKW: wanted(cheaperKWh) };
  });
}

function dropRepeats(points: readonly BidPoint[]): BidPoint[] {
  return points.filter((point, index) => {
    const before = points[index - 1];
    return before === undefined || before.pricePerKWh !== point.pricePerKWh || before.powerKW !== point.powerKW;
  });
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(Math.max(value, low), high);
}
