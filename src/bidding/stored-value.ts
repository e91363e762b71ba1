import type { PricedTime } from "./forecast.ts";

/** A stretch of a store's energy whose kWh are all worth the same. */
export interface ValueStep {
  /** kWh in the cells, > 0. */
  readonly energyKWh: number;
  /** Currency per kWh in the cells. */
  readonly valuePerKWh: number;
}

/** What stored energy is worth at one moment, from the lowest energy on; a further kWh is never worth more than the one before. */
export interface StoredValue {
  /** Energy under which the store may not be, kWh in the cells. */
  readonly fromKWh: number;
  readonly steps: readonly ValueStep[];
}

/** A store and what moving energy through it costs. */
export interface Store {
  /** Lowest energy that may be used and highest that fits, kWh in the cells. */
  readonly lowestKWh: number;
  readonly highestKWh: number;
  /** Most that it takes in and gives out, kW at the meter, magnitudes. */
  readonly chargeKW: number;
  readonly dischargeKW: number;
  /** Share of the energy that goes through, one way, 0 < η ≤ 1: the root of the round trip. */
  readonly oneWayEfficiency: number;
  /** Wear of one kWh one way through the cells, per kWh, ≥ 0. */
  readonly oneWayWearPerKWh: number;
}

/** Price at the meter at or below which it pays to put a kWh of this value into the cells. */
export function buyPrice(store: Store, valuePerKWh: number): number {
  return (valuePerKWh - store.oneWayWearPerKWh) * store.oneWayEfficiency;
}

/** Price at the meter at or above which it pays to take a kWh of this value out of the cells. */
export function sellPrice(store: Store, valuePerKWh: number): number {
  return (valuePerKWh + store.oneWayWearPerKWh) / store.oneWayEfficiency;
}

/**
 * What a kWh in the cells is worth now, if the prices of the time ahead are known and at its end a kWh is worth
 * `endValuePerKWh`: exact, with losses, wear, powers and the order in which cheap and dear times come.
 *
 * Going backwards, each time adds two things that can be done with energy: sell it then, or need not buy it then. Each has
 * a worth and an amount; the most worthy come first. What lies outside the store's range drops off at both ends.
 *
 * @param endFromKWh energy that has to be in the cells at the end of the times; the store's lowest unless given
 */
export function storedValue(
  store: Store,
  times: readonly PricedTime[],
  endValuePerKWh: number,
  endFromKWh: number = store.lowestKWh,
): StoredValue {
  let fromKWh = Math.min(Math.max(endFromKWh, store.lowestKWh), store.highestKWh);
  let steps: ValueStep[] = between(
    [{ energyKWh: store.highestKWh - fromKWh, valuePerKWh: endValuePerKWh }],
    0,
    Number.POSITIVE_INFINITY,
  );
  for (const { pricePerKWh, hours } of [...times].reverse()) {
    const boughtKWh = store.chargeKW * hours * store.oneWayEfficiency;
    const soldKWh = (store.dischargeKW * hours) / store.oneWayEfficiency;
    const costPerKWh = pricePerKWh / store.oneWayEfficiency + store.oneWayWearPerKWh;
    // At a price far below zero selling back what was bought would look like a gain; it can't do both at once.
    const gainPerKWh = Math.min(costPerKWh, pricePerKWh * store.oneWayEfficiency - store.oneWayWearPerKWh);
    const all = [
      ...steps,
      { energyKWh: boughtKWh, valuePerKWh: costPerKWh },
      { energyKWh: soldKWh, valuePerKWh: gainPerKWh },
    ];
    all.sort((a, b) => b.valuePerKWh - a.valuePerKWh);
    const startKWh = fromKWh - boughtKWh;
    fromKWh = Math.max(store.lowestKWh, startKWh);
    steps = between(all, fromKWh - startKWh, store.highestKWh - startKWh);
  }
  return { fromKWh, steps };
}

/** The part of a list of steps that lies between two energies, counted from its start. */
export function between(steps: readonly ValueStep[], fromKWh: number, toKWh: number): ValueStep[] {
  const part: ValueStep[] = [];
  let startKWh = 0;
  for (const { energyKWh, valuePerKWh } of steps) {
    const insideKWh = Math.min(startKWh + energyKWh, toKWh) - Math.max(startKWh, fromKWh);
    if (insideKWh > 1e-9) part.push({ energyKWh: insideKWh, valuePerKWh });
    startKWh += energyKWh;
  }
  return part;
}
