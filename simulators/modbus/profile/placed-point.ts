import type { PointShape, ProfileShape } from "./profile-shape.ts";
import { decodeRaw, encodeRaw, encodeText, widthOf } from "./value-codec.ts";

/** W, Wh, V, A, Hz, %, °C or s that one of a unit is. */
const TO_BASE: Readonly<Record<string, number>> = {
  kW: 1000,
  mW: 0.001,
  kWh: 1000,
  mV: 0.001,
  mA: 0.001,
  ms: 0.001,
  min: 60,
};

/** A point at its address on the wire. */
export interface PlacedPoint extends PointShape {
  readonly name: string;
  readonly address: number;
  readonly width: number;
}

/** The points of a profile at the addresses of its first connector. */
export function placedPoints(profile: ProfileShape): ReadonlyMap<string, PlacedPoint> {
  return new Map(
    Object.entries(profile.points).map(([name, point]) => [
      name,
      {
        ...point,
        name,
        address: point.register - profile.addressBase + (point.shared ? 0 : profile.connectorStep),
        width: point.space === "coil" || point.space === "discrete" ? 1 : widthOf(point),
      },
    ]),
  );
}

/** @param powerOfTen of the point that scales this one */
export function registersOf(point: PlacedPoint, value: number | string, powerOfTen: number): number[] {
  if (point.space === "coil" || point.space === "discrete") return [Number(value) === 0 ? 0 : 1];
  if (point.type === "str") return encodeText(String(value), point.width, point.order);
  const steps = (Number(value) - point.offset) / (point.scale * 10 ** powerOfTen);
  const raw = point.bits === undefined ? steps : (Math.round(steps) & point.bits.mask) * 2 ** point.bits.shift;
  return encodeRaw(raw, point.type, point.order);
}

/** The number in the point's own unit; undefined for text. */
export function valueIn(point: PlacedPoint, registers: readonly number[], powerOfTen: number): number | undefined {
  if (point.type === "str") return undefined;
  if (point.space === "coil" || point.space === "discrete") return registers[0];
  const raw = decodeRaw(registers, point.type, point.order);
  const part =
    point.bits === undefined ? raw : Number((BigInt(raw) >> BigInt(point.bits.shift)) & BigInt(point.bits.mask));
  return part * point.scale * 10 ** powerOfTen + point.offset;
}

/** Base units (W, Wh, V, A, Hz, %, °C, s) that one of the point's unit is. */
export function baseFactor({ unit }: PointShape): number {
  return unit === undefined ? 1 : (TO_BASE[unit] ?? 1);
}
