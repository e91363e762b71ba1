import type { BidCurve } from "../model/bid-curve.ts";
import { type ChargingNeed, hoursOf, missingKWh, rangeOf } from "./charging-need.ts";
import { fullEffortKWh } from "./charging-ramp.ts";
import type { StorageValue } from "./curve-from-capability.ts";
import { curveFromObjective } from "./curve-from-objective.ts";
import { rampsOfSelling, storeOf } from "./curve-from-storage.ts";
import { curveOfRamps } from "./curve-of-ramps.ts";
import { pricedTimes } from "./forecast.ts";
import { runnableCurve } from "./semi-continuous.ts";
import { between, type Store, storedValue, type ValueStep } from "./stored-value.ts";
import { urgency } from "./urgency.ts";

/** What is known of a car that can give energy back, beside what it needs. */
export interface VehicleStore {
  /** Most that it can give out now, kW at the meter, ≥ 0. */
  readonly dischargeKW: number;
  /** Energy in the cells now, the most that fits, and what is never given, kWh. */
  readonly energyKWh: number;
  readonly capacityKWh: number;
  readonly reserveKWh: number;
  readonly value: StorageValue;
}

/**
 * The curve of a car with a goal that can also give energy back. The goal comes first: it charges by its objective, and
 * gives no more than full effort after this slot can put back before the deadline, losses included; while anything must
 * run it gives nothing. It sells where the price pays for energy bought back at the dearest price of this same curve, for
 * losses and for wear.
 *
 * A car with a ramp rate gives nothing: how long the way back takes is not counted.
 */
export function curveFromVehicle(need: ChargingNeed, vehicle: VehicleStore): BidCurve {
  const charging = curveFromObjective(need);
  const givesKW = mostGivenKW(need, vehicle);
  const dearest = charging.points.at(-1);
  // A car that charges at any price has nothing to sell at any price.
  if (givesKW <= 0 || dearest === undefined || dearest.powerKW < 0) return charging;

  const store = storeOf({ ...vehicle, band: { minPowerKW: -need.maxKW, maxPowerKW: vehicle.dischargeKW } });
  const { slotHours } = hoursOf(need);
  const givesKWh = (givesKW * slotHours) / store.oneWayEfficiency;
  const buysNothing = charging.points.every((point) => point.powerKW === 0);
  const leastPrice = buysNothing ? Number.NEGATIVE_INFINITY : priceOfReturn(dearest.pricePerKWh, vehicle.value);
  const selling = rampsOfSelling(
    store,
    lastOf(valueBelow(need, vehicle, store), givesKWh),
    slotHours,
    vehicle.value.spreadPerKWh,
    leastPrice,
  );
  const given = curveOfRamps(0, selling, need.currency);
  if (buysNothing) return runnableCurve(given, rangeOf(need).minRunKW);
  // With the point where it begins to sell: without it the line would start at the dearest price at which it buys.
  const above = given.points.filter((point) => point.pricePerKWh >= dearest.pricePerKWh);
  return runnableCurve({ ...charging, points: [...charging.points, ...above] }, rangeOf(need).minRunKW);
}

/** Price that pays for energy bought back at `pricePerKWh`; never below it, also where that is negative. */
function priceOfReturn(pricePerKWh: number, value: StorageValue): number {
  const oneWay = Math.sqrt(value.roundTripEfficiency);
  return Math.max(pricePerKWh, (pricePerKWh / oneWay + value.wearPerKWh) / oneWay);
}

/** The most that may be given out in the slot with the goal still in reach, kW at the meter. */
function mostGivenKW(need: ChargingNeed, vehicle: VehicleStore): number {
  if (need.rampRateKWPerMin !== undefined || urgency(need).mustKW > 0) return 0;
  const { slotHours, laterHours } = hoursOf(need);
  if (slotHours === 0) return 0;
  const range = rangeOf(need);
  const laterKWh = (1 - (need.reserveShare ?? 0)) * fullEffortKWh(range, 0, laterHours);
  const slackKWh = laterKWh - missingKWh(need).mustKWh;
  const { roundTripEfficiency } = vehicle.value;
  const aboveReserveKWh = vehicle.energyKWh - vehicle.reserveKWh;
  return Math.max(
    0,
    Math.min(
      vehicle.dischargeKW,
      (slackKWh * roundTripEfficiency) / slotHours,
      (aboveReserveKWh * Math.sqrt(roundTripEfficiency)) / slotHours,
    ),
  );
}

/** What the energy now in the cells is worth, lowest first, as far as it may be given. */
function valueBelow(need: ChargingNeed, vehicle: VehicleStore, store: Store): ValueStep[] {
  const { storedValuePerKWh } = vehicle.value;
  const times = pricedTimes(need.forecast ?? [], need.slotEndMs, need.objective.deadlineMs);
  if (times.length === 0) {
    return [{ energyKWh: Math.max(0, vehicle.energyKWh - vehicle.reserveKWh), valuePerKWh: storedValuePerKWh }];
  }
  const neededKWh = vehicle.energyKWh + missingKWh(need).mustKWh * store.oneWayEfficiency;
  const { fromKWh, steps } = storedValue(store, times, storedValuePerKWh, neededKWh);
  return between(steps, 0, vehicle.energyKWh - fromKWh);
}

function lastOf(steps: readonly ValueStep[], energyKWh: number): ValueStep[] {
  const totalKWh = steps.reduce((sum, step) => sum + step.energyKWh, 0);
  return between(steps, totalKWh - energyKWh, totalKWh);
}
