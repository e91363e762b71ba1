import { definedOnly } from "../../../src/model/defined-only.ts";
import type { Reading } from "../../../src/model/reading.ts";
import { kWFromSunSpecWatts } from "./power-conversion.ts";

/** Measured values that stand in one block, in the core's units; each only if the device sent it. */
export type Measured = Omit<Reading, "era" | "receivedAtMs">;

/** The same in SunSpec's units, power positive out of the device. */
export interface MeasuredRaw {
  readonly powerW: number | undefined;
  /** Positive out of the device, as its power. */
  readonly reactiveVar: number | undefined;
  readonly exportWh: number | undefined;
  readonly importWh: number | undefined;
  readonly voltagesV: readonly (number | undefined)[];
  /** Taken where none of `voltagesV` is there. */
  readonly fallbackV: readonly (number | undefined)[];
  readonly currentsA: readonly (number | undefined)[];
  readonly frequencyHz: number | undefined;
  readonly temperatureC: number | undefined;
}

export function measuredOf(raw: MeasuredRaw): Measured {
  const currentA = raw.currentsA.filter((amps) => amps !== undefined).map(Math.abs);
  return definedOnly<Measured>({
    powerKW: raw.powerW === undefined ? undefined : kWFromSunSpecWatts(raw.powerW),
    reactivePowerKvar: raw.reactiveVar === undefined ? undefined : raw.reactiveVar / 1000,
    exportKWh: raw.exportWh === undefined ? undefined : raw.exportWh / 1000,
    importKWh: raw.importWh === undefined ? undefined : raw.importWh / 1000,
    voltageV: mean(raw.voltagesV) ?? mean(raw.fallbackV),
    currentA: currentA.length === 0 ? undefined : currentA,
    frequencyHz: raw.frequencyHz,
    temperatureC: raw.temperatureC,
  });
}

function mean(values: readonly (number | undefined)[]): number | undefined {
  const known = values.filter((value) => value !== undefined);
  return known.length === 0 ? undefined : known.reduce((sum, value) => sum + value, 0) / known.length;
}
