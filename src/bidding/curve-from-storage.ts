import type { BidCurve } from "../model/bid-curve.ts";
import type { PowerBand, StorageValue } from "./curve-from-capability.ts";
import { curveOfRamps, type PowerRamp } from "./curve-of-ramps.ts";
import { type ForecastSlot, pricedTimes } from "./forecast.ts";
import { between, buyPrice, type Store, sellPrice, storedValue, type ValueStep } from "./stored-value.ts";

const MS_PER_HOUR = 3_600_000;

/** What is known of a battery when its curve is made. */
export interface StorageState {
  /** What it can do now, kW at the meter. */
  readonly band: PowerBand;
  /** Energy in the cells now, and the most that fits, kWh. */
  readonly energyKWh: number;
  readonly capacityKWh: number;
  /** Energy in the cells that is never sold, kWh, ≥ 0. */
  readonly reserveKWh: number;
  readonly value: StorageValue;
  readonly slotStartMs: number;
  readonly slotEndMs: number;
  /** Prices expected after this slot; without them a kWh is worth `storedValuePerKWh`. */
  readonly forecast?: readonly ForecastSlot[];
  /** Until when the forecast is used; all of it unless given. */
  readonly horizonMs?: number;
  readonly currency: string;
}

/**
 * The two-sided curve of a battery whose energy is known. It offers no more than its energy can hold up for the whole slot
 * (a battery of 10 kWh that is 2 % above its reserve gives 0.2 kWh, which is less than 0.8 kW for a quarter of an hour),
 * and never what is reserved. It buys where a kWh costs less than it will be worth and sells where it pays more, with
 * losses and wear on both sides, so energy bought and sold at prices of one curve never makes a loss.
 */
export function curveFromStorage(state: StorageState): BidCurve {
  const slotHours = (state.slotEndMs - state.slotStartMs) / MS_PER_HOUR;
  const store = storeOf(state);
  const times = pricedTimes(state.forecast ?? [], state.slotEndMs, state.horizonMs ?? Number.POSITIVE_INFINITY);
  const { steps } = storedValue(store, times, state.value.storedValuePerKWh);
  const energyKWh = Math.min(state.energyKWh, store.highestKWh);
  const aboveKWh = Math.max(0, energyKWh - store.lowestKWh);
  // Below its reserve it buys as it would right at it.
  const firstValue = steps[0]?.valuePerKWh ?? state.value.storedValuePerKWh;
  const lacking = { energyKWh: Math.max(0, store.lowestKWh - energyKWh), valuePerKWh: firstValue };
  const takesKWh = store.chargeKW * slotHours * store.oneWayEfficiency;
  const givesKWh = (store.dischargeKW * slotHours) / store.oneWayEfficiency;

  const bought = between([lacking, ...steps], aboveKWh, aboveKWh + takesKWh).map((step): PowerRamp => {
    const price = buyPrice(store, step.valuePerKWh);
    return {
      fromPricePerKWh: price - state.value.spreadPerKWh,
      toPricePerKWh: price,
      riseKW: step.energyKWh / store.oneWayEfficiency / slotHours,
    };
  });
  const sold = rampsOfSelling(
    store,
    between(steps, aboveKWh - givesKWh, aboveKWh),
    slotHours,
    state.value.spreadPerKWh,
  );
  const startKW = -bought.reduce((sum, ramp) => sum + ramp.riseKW, 0);
  return curveOfRamps(startKW, [...bought, ...sold], state.currency);
}

/** Each step of stored energy is sold from its own price on, never under `leastPricePerKWh`. */
export function rampsOfSelling(
  store: Store,
  steps: readonly ValueStep[],
  slotHours: number,
  spreadPerKWh: number,
  leastPricePerKWh = Number.NEGATIVE_INFINITY,
): PowerRamp[] {
  return steps.map(({ energyKWh, valuePerKWh }) => {
    const price = Math.max(leastPricePerKWh, sellPrice(store, valuePerKWh));
    return {
      fromPricePerKWh: price,
      toPricePerKWh: price + spreadPerKWh,
      riseKW: (energyKWh * store.oneWayEfficiency) / slotHours,
    };
  });
}

/** The store behind a state: what may be used of it and what moving energy costs. */
export function storeOf(state: Pick<StorageState, "band" | "capacityKWh" | "reserveKWh" | "value">): Store {
  return {
    lowestKWh: Math.min(state.reserveKWh, state.capacityKWh),
    highestKWh: state.capacityKWh,
    chargeKW: -state.band.minPowerKW,
    dischargeKW: state.band.maxPowerKW,
    oneWayEfficiency: Math.sqrt(state.value.roundTripEfficiency),
    oneWayWearPerKWh: state.value.wearPerKWh / 2,
  };
}
