import type { Clock } from "../../../src/clock.ts";
import { gridNow } from "../../world/flow.ts";
import { baseFactor, type PlacedPoint } from "./placed-point.ts";
import type { PointMemory } from "./point-memory.ts";
import type { ProfileHardware } from "./profile-hardware.ts";
import type { ProfileShape } from "./profile-shape.ts";

/** A device in the field has run before. */
const LIFETIME_EXPORT_KWH = 1500;
const LIFETIME_IMPORT_KWH = 2100;

/** Puts what the device measures now into the points that the profile says are its readings. */
export function measureInto(
  memory: PointMemory,
  profile: ProfileShape,
  points: ReadonlyMap<string, PlacedPoint>,
  hardware: ProfileHardware,
  clock: Clock,
): void {
  const { readings } = profile;
  const powerW = hardware.powerKW() * 1000;
  const { voltageV, frequencyHz } = gridNow(clock, powerW / 1000);
  const each = (names: readonly string[] | undefined, base: (point: PlacedPoint, count: number) => number) => {
    for (const name of names ?? []) {
      const point = points.get(name);
      if (point !== undefined) memory.put(name, base(point, names?.length ?? 1) / baseFactor(point));
    }
  };
  const power = (point: PlacedPoint, watts: number) => {
    const { direction } = point;
    if (direction === undefined) return point.sign === "consumption" ? 0 - watts : watts;
    if (watts !== 0) memory.put(direction.point, watts > 0 ? direction.generation : direction.consumption);
    return Math.abs(watts);
  };
  each(readings.powerKW, (point, count) => power(point, powerW / count));
  each(readings.offeredKW, (point, count) => power(point, (hardware.availableKW() * 1000) / count));
  each(readings.importKWh, (_, count) => ((LIFETIME_IMPORT_KWH + hardware.importKWh) * 1000) / count);
  each(readings.exportKWh, (_, count) => ((LIFETIME_EXPORT_KWH + hardware.exportKWh) * 1000) / count);
  each(readings.voltageV, () => voltageV);
  each(readings.currentA, (_, count) => Math.abs(powerW) / count / voltageV);
  each(readings.frequencyHz, () => frequencyHz);
  each(readings.temperatureC, () => 35);
  if (hardware.socPercent !== undefined) each(readings.socPercent, () => hardware.socPercent ?? 0);
}

/** Without sun: the code that means "no value" where there is one, else 0. */
export function sleepInto(memory: PointMemory, profile: ProfileShape, points: ReadonlyMap<string, PlacedPoint>): void {
  const { powerKW, voltageV, currentA, frequencyHz, temperatureC, offeredKW } = profile.readings;
  for (const name of [powerKW, voltageV, currentA, frequencyHz, temperatureC, offeredKW].flatMap(
    (list) => list ?? [],
  )) {
    const point = points.get(name);
    if (point === undefined) continue;
    const raw = point.notImplemented[0] ?? 0;
    memory.put(name, raw * point.scale + point.offset);
  }
}
