import type { RawValue } from "../payload/format.ts";
import type { PointSpec } from "./point-schema.ts";

/** A value in the point's own unit; undefined where the device gives none. */
export type PointValue = number | string | boolean;

/** What a unit is of W, Wh, V, A, Hz, %, °C and s. */
const BASE: Readonly<Record<string, number>> = { kW: 1000, mW: 0.001, kWh: 1000, Wmin: 1 / 60, mV: 0.001, mA: 0.001 };

/** What the device wrote, in the point's unit; undefined where that is no value of its type. */
export function pointValue(spec: PointSpec, raw: RawValue | undefined): PointValue | undefined {
  if (raw === undefined) return undefined;
  switch (spec.type) {
    case "string":
      return String(raw);
    case "boolean":
      return booleanOf(raw);
    case "number": {
      const number = numberOf(raw);
      if (number === undefined || spec.notImplemented.includes(number)) return undefined;
      return finite(number * spec.scale + spec.offset);
    }
  }
}

/** The same number in the point's unit, as the device writes it. */
export function rawOf(spec: PointSpec, value: PointValue): RawValue {
  if (typeof value !== "number") return value;
  // 0.1 x 3 is no number that anybody wrote.
  return Number(((value - spec.offset) / spec.scale).toPrecision(12)) + 0;
}

/** In W, Wh, V, A, Hz, % or °C; undefined for what is no number. */
export function baseValue(spec: PointSpec, value: PointValue | undefined): number | undefined {
  if (typeof value !== "number") return undefined;
  return finite(value * (spec.unit === undefined ? 1 : (BASE[spec.unit] ?? 1)));
}

/** A power in W, export positive. */
export function exportW(spec: PointSpec, value: PointValue | undefined): number | undefined {
  const base = baseValue(spec, value);
  return base === undefined ? undefined : base * exportSign(spec) + 0;
}

/** W, export positive, as the point has it in its own unit and sign. The one place where a written power turns. */
export function fromExportW(spec: PointSpec, powerW: number): number {
  return (powerW * exportSign(spec)) / (spec.unit === undefined ? 1 : (BASE[spec.unit] ?? 1)) + 0;
}

function exportSign(spec: PointSpec): 1 | -1 {
  return spec.sign === "consumption" ? -1 : 1;
}

function numberOf(raw: RawValue): number | undefined {
  if (typeof raw === "boolean") return raw ? 1 : 0;
  if (typeof raw === "string" && raw.trim() === "") return undefined;
  return finite(Number(raw));
}

/** A number that a device wrote may grow beyond all numbers by its scale. */
function finite(number: number): number | undefined {
  return Number.isFinite(number) ? number : undefined;
}

function booleanOf(raw: RawValue): boolean | undefined {
  if (typeof raw === "boolean") return raw;
  if (raw === 1 || raw === "1" || raw === "true") return true;
  if (raw === 0 || raw === "0" || raw === "false") return false;
  return undefined;
}
