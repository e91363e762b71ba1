import type { RegisterRanges } from "./control-keeping.ts";
import { type ControlSpec, type WriteSpec, writesOf } from "./control-schema.ts";
import { type Point, registersFor } from "./point.ts";
import type { PointReader } from "./point-reader.ts";
import type { PlannedPart, PlannedWrite } from "./power-plan.ts";
import { ProfileError } from "./profile-error.ts";

/** Names of the points that a control writes, the enabling one last. */
export function writtenPoints(spec: ControlSpec): readonly string[] {
  const names = [
    ...spec.sequence.flatMap((step) => writesOf<WriteSpec>(step)).map(({ point }) => point),
    ...(spec.off ?? []).flatMap((step) => writesOf(step)).map(({ point }) => point),
  ].filter((name) => name !== spec.enable?.point);
  return [...new Set(spec.enable === undefined ? names : [...names, spec.enable.point])];
}

/**
 * What the control's registers hold now. Call it with the points freshly read.
 * @throws ProfileError `refused` where one of them can't be read: without it nothing could be given back
 */
export function baselineOf(spec: ControlSpec, points: ReadonlyMap<string, Point>, reader: PointReader): RegisterRanges {
  return writtenPoints(spec).map((name) => {
    const point = points.get(name);
    const values = point === undefined ? undefined : shownRegisters(point, reader);
    if (point === undefined || values === undefined) {
      throw new ProfileError("refused", `${name} cannot be read, so what it held could not be given back`);
    }
    return { address: point.address, values };
  });
}

/** What a point holds, in its own registers, also where another point shows it; undefined where it can't be read. */
export function shownRegisters(point: Point, reader: PointReader): readonly number[] | undefined {
  if (point.readAs === undefined) return reader.registersOf(point.name);
  const value = reader.look(point.readAs);
  return typeof value === "number" ? registersFor(point, value, "nearest", reader.look) : undefined;
}

/**
 * The requests that bring a baseline back, the last one first. A command that was not in force before is taken off
 * before its values change; one that was comes back with its values.
 */
export function baselineWrites(
  spec: ControlSpec,
  kept: RegisterRanges,
  points: ReadonlyMap<string, Point>,
): readonly PlannedWrite[] {
  const byAddress = new Map([...points.values()].filter(isWritable).map((point) => [point.address, point]));
  const timers = timerPoints(spec);
  const writes = kept.flatMap(({ address, values }) => {
    const point = byAddress.get(address);
    return point === undefined ? [] : [singleWrite(point, values, !timers.includes(point.name))];
  });
  const enable = writes.find(({ parts }) => parts[0]?.point.name === spec.enable?.point);
  const others = writes.filter((write) => write !== enable).reverse();
  if (enable === undefined) return others;
  const wasEnabled = sameRegisters(enable.registers, enabledRegisters(spec, points));
  return wasEnabled ? [...others, enable] : [enable, ...others];
}

function isWritable(point: Point): boolean {
  return point.access !== "read";
}

function enabledRegisters(spec: ControlSpec, points: ReadonlyMap<string, Point>): readonly number[] {
  const point = spec.enable === undefined ? undefined : points.get(spec.enable.point);
  return point === undefined || typeof spec.enable?.value !== "number"
    ? []
    : registersFor(point, spec.enable.value, "nearest", () => undefined);
}

/** Points that count down, so that they read other than they were written a moment later. */
function timerPoints(spec: ControlSpec): readonly string[] {
  const writes = spec.sequence.flatMap((step) => writesOf<WriteSpec>(step));
  return writes.filter(({ value }) => value === "reversion").map(({ point }) => point);
}

function singleWrite(point: Point, registers: readonly number[], isKept: boolean): PlannedWrite {
  const part: PlannedPart = { point, registers, onlyIfChanged: false, isKept };
  const fc = point.writeFunction ?? (registers.length === 1 ? 6 : 16);
  return { space: "holding", address: point.address, registers, fc, parts: [part] };
}

export function sameRegisters(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((word, index) => word === b[index]);
}
