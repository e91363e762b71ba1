import { definedOnly } from "../../../src/model/defined-only.ts";
import type { Reading } from "../../../src/model/reading.ts";
import type { DeviceReader } from "./device-reader.ts";
import type { Profile } from "./profile-schema.ts";

/** What the core's reading has, apart from whose it is and when it came. */
export type Measured = Omit<Reading, "era" | "receivedAtMs">;

type Names = string | readonly string[] | undefined;

/** A reading from what was read of the points. Each value only where the device has it: absent is not zero. */
export function measuredFrom({ readings, points }: Profile, reader: DeviceReader): Measured {
  const base = (name: string) => reader.base(name);
  const power = (name: string) => reader.exportW(name);
  const all = (names: Names) => (names === undefined ? [] : [names].flat());
  const numbers = (names: Names) =>
    all(names)
      .map(base)
      .filter((value) => value !== undefined);
  /** A sum is there only if each of its parts is; an optional part may be missing beside another one. */
  const total = (names: Names, read: (name: string) => number | undefined) => {
    let sum: number | undefined;
    for (const name of all(names)) {
      const value = read(name);
      if (value === undefined && points[name]?.optional !== true) return undefined;
      if (value !== undefined) sum = (sum ?? 0) + value;
    }
    return sum === undefined ? undefined : Number((sum / 1000).toPrecision(12)) + 0;
  };
  // A phase that is not connected shows 0 V.
  const voltages = numbers(readings.voltageV).filter((value) => value > 0);
  const currents = numbers(readings.currentA).map(Math.abs);
  const socPercent = readings.socPercent === undefined ? undefined : base(readings.socPercent);
  return definedOnly<Measured>({
    deviceTimeMs: undefined,
    replayed: undefined,
    powerKW: total(readings.powerKW, power),
    importKWh: total(readings.importKWh, base),
    exportKWh: total(readings.exportKWh, base),
    voltageV: voltages.length === 0 ? undefined : voltages.reduce((sum, value) => sum + value, 0) / voltages.length,
    currentA: currents.length === 0 ? undefined : currents,
    socPercent: socPercent !== undefined && socPercent >= 0 && socPercent <= 100 ? socPercent : undefined,
    offeredKW: total(readings.offeredKW, power),
    frequencyHz: readings.frequencyHz === undefined ? undefined : base(readings.frequencyHz),
    temperatureC: readings.temperatureC === undefined ? undefined : base(readings.temperatureC),
  });
}
