import { baseFactor, type PlacedPoint } from "./placed-point.ts";
import type { PointMemory } from "./point-memory.ts";
import type { ControlShape, SourceList } from "./profile-shape.ts";

/** What a device was told: the power that it holds, or may not exceed. kW, export positive. */
export interface Order {
  readonly kind: "setpoint" | "limit";
  readonly powerKW: number;
}

type Direction = "consumption" | "generation" | "zero";

const DIRECTIONS: readonly Direction[] = ["consumption", "generation", "zero"];

/** Numbers that a device compares stand in registers, so they are the same or one step apart. */
const SAME = 1e-6;

/**
 * Reads a control's sequence backwards: which power would have written what the registers hold now.
 * @returns nothing where no power would, or where the registers hold what they held at power-on
 */
export function orderIn(
  control: ControlShape,
  memory: PointMemory,
  initial: PointMemory,
  points: ReadonlyMap<string, PlacedPoint>,
): Order | undefined {
  const names = controlPoints(control);
  if (names.every((name) => memory.value(name) === initial.value(name))) return undefined;
  const holds = ({ point, value }: { point: string; value: number | string }) =>
    typeof value !== "number" || Math.abs((memory.value(point) ?? Number.NaN) - value) < SAME;
  const { kind, off } = control;
  if (off.length > 0 && off.every(holds)) return { kind, powerKW: 0 };
  if (control.enable !== undefined && !holds(control.enable)) return undefined;
  for (const direction of DIRECTIONS) {
    const amount = amountIn(control, direction, memory, points);
    if (amount === undefined) continue;
    const magnitudeKW = amount / perKW(control, memory, points);
    const least = firstOf(control.limits.least, memory, points) ?? 0;
    if (amount < least - SAME) return { kind, powerKW: 0 };
    return { kind, powerKW: direction === "consumption" ? 0 - magnitudeKW : magnitudeKW };
  }
  return undefined;
}

/** Points that a control writes. */
export function controlPoints({ sequence, enable, off }: ControlShape): readonly string[] {
  return [...new Set([...sequence, ...(enable === undefined ? [] : [enable]), ...off].map(({ point }) => point))];
}

/** Point that holds the time after which the device falls back by itself. */
export function reversionPoint({ sequence }: ControlShape): string | undefined {
  return sequence.find(({ value }) => value === "reversion")?.point;
}

/** The first of the sources that is there, in base units; what the gateway's config would say is not known here. */
export function firstOf(
  given: SourceList | undefined,
  memory: PointMemory,
  points: ReadonlyMap<string, PlacedPoint>,
): number | undefined {
  for (const source of given ?? []) {
    if (typeof source === "number") return source;
    const point = points.get(source);
    const value = memory.value(source);
    if (point !== undefined && value !== undefined) return value * baseFactor(point);
  }
  return undefined;
}

/** W, A or % that an order of this direction is; undefined where the registers say another. */
function amountIn(
  { sequence }: ControlShape,
  direction: Direction,
  memory: PointMemory,
  points: ReadonlyMap<string, PlacedPoint>,
): number | undefined {
  let amount: number | undefined;
  for (const { point: name, value, when } of sequence) {
    if (when !== undefined && when !== direction) continue;
    const word = typeof value === "object" ? value[direction] : value;
    const point = points.get(name);
    const held = memory.value(name);
    if (point === undefined || held === undefined) continue;
    if (typeof word === "number") {
      if (Math.abs(held - word) >= SAME) return undefined;
      continue;
    }
    const base = held * baseFactor(point);
    const carried = carriedBy(word, direction, base, point.sign ?? "generation");
    if (carried === undefined) continue;
    if (direction === "zero" ? Math.abs(carried) >= SAME : carried < SAME) return undefined;
    amount = Math.abs(carried);
  }
  return direction === "zero" ? 0 : amount;
}

/** How much of the direction a point carries; undefined for words that carry none. */
function carriedBy(word: string, direction: Direction, base: number, sign: "generation" | "consumption") {
  switch (word) {
    case "power":
      return direction === "zero" || direction === sign ? base : 0 - base;
    case "consumption":
    case "generation":
      // The other direction's point stands at 0, which says nothing of this one's.
      return direction === word || direction === "zero" ? base : Math.abs(base) < SAME ? undefined : -1;
    case "magnitude":
      return base;
    default:
      return undefined;
  }
}

/** W, A or % that one kW is. */
function perKW({ convert }: ControlShape, memory: PointMemory, points: ReadonlyMap<string, PlacedPoint>): number {
  const need = (given: SourceList | undefined, otherwise: number) => firstOf(given, memory, points) ?? otherwise;
  switch (convert.to) {
    case "watts":
      return 1000;
    case "percentOf":
      return 100_000 / need(convert.base, 5000);
    case "amps":
      return 1000 / (need(convert.phases, 3) * need(convert.volts, 230));
  }
}
