import { definedOnly } from "../../../src/model/defined-only.ts";
import type { Reading } from "../../../src/model/reading.ts";
import { baseValue, exportW, type Lookup, type Point } from "./point.ts";
import type { Profile } from "./profile-schema.ts";

/** What the core's reading has, apart from whose it is and when it came. */
export type Measured = Omit<Reading, "era" | "receivedAtMs">;

type Names = string | readonly string[] | undefined;

/** A reading from what was read of the points. Each value only where the device has it: absent is not zero. */
export function measuredFrom(profile: Profile, points: ReadonlyMap<string, Point>, look: Lookup): Measured {
  const { readings } = profile;
  const all = (names: Names) => (names === undefined ? [] : [names].flat()).map((name) => points.get(name));
  const single = (name: string | undefined) => (name === undefined ? undefined : baseValue(points.get(name), look));
  const total = (names: Names, read: (point: Point | undefined) => number | undefined) => sumOf(all(names), read);
  const base = (point: Point | undefined) => baseValue(point, look);
  const power = (point: Point | undefined) => exportW(point, look);
  const amps = all(readings.currentA)
    .map(base)
    .filter((value) => value !== undefined);
  const soc = single(readings.socPercent);
  return definedOnly({
    powerKW: thousandth(total(readings.powerKW, power)),
    importKWh: thousandth(total(readings.importKWh, base)),
    exportKWh: thousandth(total(readings.exportKWh, base)),
    voltageV: mean(all(readings.voltageV).map(base)),
    currentA: amps.length === 0 ? undefined : amps.map(Math.abs),
    socPercent: soc === undefined || soc < 0 || soc > 100 ? undefined : soc,
    frequencyHz: single(readings.frequencyHz),
    temperatureC: single(readings.temperatureC),
    offeredKW: thousandth(total(readings.offeredKW, power)),
  });
}

/** A sum is there only if each of its parts is; a part that is optional may be missing if another one is there. */
function sumOf(
  parts: readonly (Point | undefined)[],
  read: (point: Point | undefined) => number | undefined,
): number | undefined {
  let sum: number | undefined;
  for (const point of parts) {
    const value = read(point);
    if (value === undefined && point?.optional !== true) return undefined;
    if (value !== undefined) sum = (sum ?? 0) + value;
  }
  return sum;
}

function mean(values: readonly (number | undefined)[]): number | undefined {
  // A phase that is not connected shows 0 V.
  const known = values.filter((value): value is number => value !== undefined && value > 0);
  return known.length === 0 ? undefined : known.reduce((sum, value) => sum + value, 0) / known.length;
}

function thousandth(value: number | undefined): number | undefined {
  return value === undefined ? undefined : Number((value / 1000).toPrecision(12)) + 0;
}
