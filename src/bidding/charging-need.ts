import type { Objective } from "../model/objective.ts";
import type { ChargingRange } from "./charging-ramp.ts";
import type { ForecastSlot } from "./forecast.ts";

const MS_PER_HOUR = 3_600_000;

/** What is known of a car when its curve is made. Powers are magnitudes of consumption, kW. */
export interface ChargingNeed {
  readonly objective: Objective;
  /** Energy delivered since the objective was set, kWh at the meter, less what was given back. */
  readonly deliveredKWh: number;
  /** Most that it can draw now, kW, > 0. */
  readonly maxKW: number;
  /** Least at which it runs, kW; absent or 0 where every power is possible. */
  readonly minRunKW?: number;
  /** Draw at the start of the slot, kW, ≥ 0; 0 unless given. Counts only with a ramp. */
  readonly presentKW?: number;
  readonly rampRateKWPerMin?: number;
  /** Share of the energy at the meter that arrives where the objective counts it, 0 < η ≤ 1; 1 unless given. */
  readonly chargingEfficiency?: number;
  /** The interval that the curve is for. */
  readonly slotStartMs: number;
  readonly slotEndMs: number;
  /** Prices expected after this slot; absent or empty: none are known. Time without a price counts as not cheaper. */
  readonly forecast?: readonly ForecastSlot[];
  /** Share of the time ahead kept as a reserve against surprises, 0 to 1. */
  readonly reserveShare?: number;
  /** Half the span of prices over which a jump at a forecast price is drawn out, so that like cars don't switch together. */
  readonly spreadPerKWh?: number;
  /** Without a forecast: where energy that can wait a long time starts to be bought; half the price cap unless given. */
  readonly floorPricePerKWh?: number;
  readonly currency: string;
}

/** Hours of the slot that come before the deadline, and hours between the slot and the deadline. */
export function hoursOf(need: ChargingNeed): { slotHours: number; laterHours: number } {
  const { deadlineMs } = need.objective;
  const slotEndMs = Math.max(need.slotStartMs, Math.min(need.slotEndMs, deadlineMs));
  return {
    slotHours: (slotEndMs - need.slotStartMs) / MS_PER_HOUR,
    laterHours: Math.max(0, deadlineMs - slotEndMs) / MS_PER_HOUR,
  };
}

/** Energy still missing, kWh at the meter: what is needed at any price, and what is of use at a good one. */
export function missingKWh(need: ChargingNeed): { mustKWh: number; canKWh: number } {
  const { objective, deliveredKWh } = need;
  const mostKWh = objective.maxChargeKWh ?? Number.POSITIVE_INFINITY;
  const neededKWh = Math.min(objective.minChargeKWh ?? objective.targetChargeKWh, mostKWh);
  const wantedKWh = Math.max(neededKWh, Math.min(objective.targetChargeKWh, mostKWh));
  const efficiency = need.chargingEfficiency ?? 1;
  const atMeter = (energyKWh: number) => Math.max(0, energyKWh / efficiency - deliveredKWh);
  return { mustKWh: atMeter(neededKWh), canKWh: atMeter(wantedKWh) };
}

/** How the charger may move in the slot. */
export function rangeOf(need: ChargingNeed): ChargingRange {
  return {
    maxKW: need.maxKW,
    // A limit below the least power leaves nothing that runs; the caller bids nothing then.
    minRunKW: Math.min(need.minRunKW ?? 0, need.maxKW),
    presentKW: Math.max(0, need.presentKW ?? 0),
    rampKWPerHour: need.rampRateKWPerMin === undefined ? Number.POSITIVE_INFINITY : need.rampRateKWPerMin * 60,
  };
}
