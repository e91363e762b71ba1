import type { MeteredDevice } from "../../src/model/utility.ts";
import { type Mirrored, meterWattsFromExportKW } from "./mirror-documents.ts";

/**
 * Averages over one interval of what some devices did together. A moment at which one of them was not measured counts for
 * nothing: the sum of the others is not the power of all.
 */
export class SiteAverage {
  #sums = new Map<Mirrored["name"], { sum: number; count: number }>();

  sample(devices: readonly MeteredDevice[]): void {
    const met = devices.filter(({ capability }) => capability !== undefined);
    if (met.length === 0) return;
    const power = sumOfAll(met.map(({ powerKW }) => powerKW));
    if (power !== undefined) this.#add("W", meterWattsFromExportKW(power));
    const reactive = sumOfAll(met.map(({ reactivePowerKvar }) => reactivePowerKvar));
    if (reactive !== undefined) this.#add("var", meterWattsFromExportKW(reactive));
    const voltages = met.flatMap(({ voltageV }) => (voltageV === undefined ? [] : [voltageV]));
    if (voltages.length > 0) this.#add("V", voltages.reduce((sum, one) => sum + one, 0) / voltages.length);
    const stores = met.filter(({ kind, capability }) => kind === "battery" && capability?.capacityKWh !== undefined);
    const storedWh = stores.flatMap(({ capability, socPercent }) =>
      socPercent === undefined ? [] : [(capability?.capacityKWh ?? 0) * 10 * socPercent],
    );
    if (stores.length > 0 && storedWh.length === stores.length) {
      this.#add(
        "Wh",
        storedWh.reduce((sum, one) => sum + one, 0),
      );
    }
  }

  /** The averages since the last time, each only if there is one; then it begins anew. */
  take(): ReadonlyMap<Mirrored["name"], number> {
    const sums = this.#sums;
    this.#sums = new Map();
    return new Map([...sums].map(([name, { sum, count }]) => [name, sum / count]));
  }

  #add(name: Mirrored["name"], value: number): void {
    const { sum, count } = this.#sums.get(name) ?? { sum: 0, count: 0 };
    this.#sums.set(name, { sum: sum + value, count: count + 1 });
  }
}

function sumOfAll(values: readonly (number | undefined)[]): number | undefined {
  let sum = 0;
  for (const value of values) {
    if (value === undefined) return undefined;
    sum += value;
  }
  return sum;
}
