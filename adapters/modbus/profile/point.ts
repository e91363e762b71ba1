import type { PointSpec } from "./point-schema.ts";
import { widthOf } from "./point-schema.ts";
import type { Profile } from "./profile-schema.ts";
import { decodeNumber, decodeText, encodeNumber } from "./register-codec.ts";

/** A point of one device, with the 0-based address that goes on the wire. */
export interface Point extends PointSpec {
  readonly name: string;
  readonly address: number;
  readonly width: number;
}

export type Value = number | string;

/** Looks up a point's value; undefined where it is not there. */
export type Lookup = (name: string) => Value | undefined;

/** The points of a profile for one connector of a device. @param connector from 1 */
export function placePoints(profile: Profile, connector: number): ReadonlyMap<string, Point> {
  const step = (profile.connectorStep ?? 0) * connector;
  return new Map(
    Object.entries(profile.points).map(([name, spec]) => [
      name,
      {
        ...spec,
        name,
        address: spec.register - profile.addressBase + (spec.shared ? 0 : step),
        width: widthOf(spec),
      },
    ]),
  );
}

/** Raw number in the registers, before scale; undefined where the device says that there is none. */
export function rawOf(point: Point, registers: readonly number[]): number | undefined {
  const raw = decodeNumber(registers, point.type, point.order);
  if (raw === undefined || point.notImplemented.includes(raw)) return undefined;
  if (point.bits === undefined) return raw;
  return Number((BigInt(raw) >> BigInt(point.bits.shift)) & BigInt(point.bits.mask));
}

/** What a point says: text, or a number in its own unit. @param look for the points that it refers to */
export function pointValue(point: Point, registers: readonly number[], look: Lookup): Value | undefined {
  if (point.type === "str") return decodeText(registers, point.order);
  const raw = rawOf(point, registers);
  if (raw === undefined) return undefined;
  const power = powerOfTen(point, look);
  const turn = directionOf(point, look);
  if (power === undefined || turn === undefined) return undefined;
  return tidy((tidy(raw * point.scale) * 10 ** power + point.offset) * turn);
}

/** How many `unit` one step of the raw number is. @throws RangeError where its scale factor is not there */
export function stepOf(point: Point, look: Lookup): number {
  const power = powerOfTen(point, look);
  if (power === undefined) throw new RangeError(`the scale of ${point.name} (${point.scaleFrom}) is not there`);
  return point.scale * 10 ** power;
}

/**
 * The registers for a value in the point's own unit.
 * @param round `down` goes towards 0, so that a magnitude never grows; a float is the nearest one, which is off by 6e-8 of it
 * @throws RangeError if it does not fit, or is a code that means "no value"
 */
export function registersFor(point: Point, value: number, round: "down" | "nearest", look: Lookup): number[] {
  if (point.bits !== undefined) throw new TypeError(`${point.name} is a part of its register and is not written`);
  const steps = (value - point.offset) / stepOf(point, look);
  const isFloat = point.type === "f32" || point.type === "f64";
  const raw = isFloat ? steps : wholeOf(steps, round);
  if (point.notImplemented.includes(raw)) throw new RangeError(`${raw} means "no value" in ${point.name}`);
  try {
    return encodeNumber(raw, point.type, point.order);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new RangeError(`${point.name}: ${error.message}`, { cause: error });
  }
}

function wholeOf(steps: number, round: "down" | "nearest"): number {
  if (round === "nearest") return Math.round(steps) + 0;
  // Without the small addition 0.7 A in steps of 0.1 A would become 0.6 A, since binary fractions fall short.
  return Math.trunc(steps + Math.sign(steps) * 1e-6) + 0;
}

function powerOfTen(point: Point, look: Lookup): number | undefined {
  if (point.scaleFrom === undefined) return 0;
  const power = look(point.scaleFrom);
  return typeof power === "number" && Number.isInteger(power) && Math.abs(power) <= 10 ? power : undefined;
}

/** 1 or -1; undefined where the device does not say which way it flows, and something flows. */
function directionOf(point: Point, look: Lookup): number | undefined {
  const { direction } = point;
  if (direction === undefined) return 1;
  const state = look(direction.point);
  if (typeof state !== "number") return undefined;
  const generates = (state & direction.generation) !== 0;
  const consumes = (state & direction.consumption) !== 0;
  if (generates === consumes) return generates ? undefined : 0;
  return generates ? 1 : -1;
}

/** 12 digits: what a scale of 0.1 adds in binary is no measurement. */
function tidy(value: number): number {
  return Number(value.toPrecision(12)) + 0;
}

/** Base units: W, Wh, V, A, Hz, %, C, s. */
const TO_BASE: Readonly<Record<NonNullable<PointSpec["unit"]>, number>> = {
  W: 1,
  kW: 1000,
  mW: 0.001,
  Wh: 1,
  kWh: 1000,
  V: 1,
  mV: 0.001,
  A: 1,
  mA: 0.001,
  Hz: 1,
  "%": 1,
  C: 1,
  s: 1,
  ms: 0.001,
  min: 60,
};

/** Base units (W, Wh, V, A, Hz, %, °C, s) that one of the point's unit is. */
export function baseFactor(point: Pick<Point, "unit">): number {
  return point.unit === undefined ? 1 : TO_BASE[point.unit];
}

/** The number of a point in base units; undefined where it is not there or is text. */
export function baseValue(point: Point | undefined, look: Lookup): number | undefined {
  const value = point === undefined ? undefined : look(point.name);
  return typeof value === "number" && point !== undefined ? tidy(value * baseFactor(point)) : undefined;
}

/** A power in W with generation positive. A point with a direction has its sign already. */
export function exportW(point: Point | undefined, look: Lookup): number | undefined {
  const watts = baseValue(point, look);
  return watts === undefined ? undefined : point?.sign === "consumption" ? 0 - watts : watts;
}
