import type { MeteredDevice } from "../../src/model/utility.ts";

/** What the devices behind one EndDevice can do together, kW magnitudes: the bases of the utility's percentages. */
export interface DerRatings {
  /** setMaxW. */
  readonly maxKW: number;
  /** setMaxChargeRateW; 0: nothing here can consume by order. */
  readonly maxChargeKW: number;
  /** setMaxDischargeRateW; 0: there is no storage. */
  readonly maxDischargeKW: number;
  /** Usable energy of storage, kWh; 0 where there is none, or none is known. */
  readonly capacityKWh: number;
  readonly hasSolar: boolean;
}

/**
 * The DER of a site is all of it that can generate; on a site where nothing can it is what can be told to consume less.
 */
export function derOf(devices: readonly MeteredDevice[]): readonly MeteredDevice[] {
  const generating = devices.filter(({ capability }) => (capability?.maxPowerKW ?? 0) > 0);
  return generating.length > 0 ? generating : devices;
}

export function ratingsOf(devices: readonly MeteredDevice[]): DerRatings {
  const der = derOf(devices);
  const storage = der.filter(({ kind, capability }) => kind === "battery" && capability !== undefined);
  const sumKW = (some: readonly MeteredDevice[], of: (device: MeteredDevice) => number | undefined) =>
    some.reduce((sum, device) => sum + (of(device) ?? 0), 0);
  const maxChargeKW = 0 - sumKW(der, ({ capability }) => capability?.minPowerKW);
  const generationKW = sumKW(der, ({ capability }) => capability?.maxPowerKW);
  return {
    maxKW: generationKW > 0 ? generationKW : maxChargeKW,
    maxChargeKW,
    maxDischargeKW: sumKW(storage, ({ capability }) => capability?.maxPowerKW),
    capacityKWh: sumKW(storage, ({ capability }) => capability?.capacityKWh),
    hasSolar: der.some(({ kind }) => kind === "solar"),
  };
}
