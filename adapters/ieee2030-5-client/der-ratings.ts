import { definedOnly } from "../../src/model/defined-only.ts";
import type { ReactiveBounds } from "../../src/model/resource.ts";
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
  /** Energy below which the storage is not discharged, kWh; absent where one of its devices does not say. */
  readonly reserveKWh?: number;
  /** Of all DER together, each only where every one of them states it. */
  readonly reactiveRating: ReactiveBounds;
  readonly reactiveSetting: ReactiveBounds;
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
    ...definedOnly({ reserveKWh: reserveOf(storage) }),
    reactiveRating: together(der.map(({ capability }) => capability?.reactiveRating)),
    reactiveSetting: together(
      der.map(({ capability }) => ({ ...capability?.reactiveRating, ...capability?.reactiveSetting })),
    ),
  };
}

function reserveOf(storage: readonly MeteredDevice[]): number | undefined {
  let sumKWh: number | undefined;
  for (const { capability } of storage) {
    const { capacityKWh, reserveSocPercent } = capability ?? {};
    if (capacityKWh === undefined || reserveSocPercent === undefined) return undefined;
    sumKWh = (sumKWh ?? 0) + (capacityKWh * reserveSocPercent) / 100;
  }
  return sumKWh;
}

/** Powers add up; of power factors the one nearest to 1 is what all can keep. */
function together(all: readonly (ReactiveBounds | undefined)[]): ReactiveBounds {
  const of = (name: keyof ReactiveBounds, join: (values: number[]) => number) => {
    const values = all.flatMap((one) => one?.[name] ?? []);
    return values.length === 0 || values.length < all.length ? undefined : join(values);
  };
  const sum = (values: number[]) => values.reduce((total, one) => total + one, 0);
  const greatest = (values: number[]) => Math.max(...values);
  return definedOnly<ReactiveBounds>({
    apparentKVA: of("apparentKVA", sum),
    injectKvar: of("injectKvar", sum),
    absorbKvar: of("absorbKvar", sum),
    leastOverExcitedPF: of("leastOverExcitedPF", greatest),
    leastUnderExcitedPF: of("leastUnderExcitedPF", greatest),
  });
}
