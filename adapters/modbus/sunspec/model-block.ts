import type { ModelEntry } from "./model-chain.ts";
import type { ModelTable, Point, PointName } from "./model-table.ts";
import { decodeNumber, decodeText, wordsOf } from "./point-types.ts";
import type { Registers } from "./registers.ts";

/** A model is no longer where the walk found it, as after a firmware update; walk again. */
export class MapMovedError extends Error {
  override readonly name = "MapMovedError";
}

/** The registers of one model as they were at one time, scale factors included. */
export class ModelBlock<T extends ModelTable> {
  readonly table: T;
  readonly entry: ModelEntry;
  readonly #words: readonly number[];

  constructor(table: T, entry: ModelEntry, words: readonly number[]) {
    this.table = table;
    this.entry = entry;
    this.#words = words;
  }

  /** The value in the point's unit; absent if the point or its scale factor is not implemented. */
  number(name: PointName<T>): number | undefined {
    const raw = this.raw(name);
    const scale = this.point(name).scale;
    if (raw === undefined || scale === undefined) return raw;
    const exponent = this.scaleOf(name);
    return exponent === undefined ? undefined : scaled(raw, exponent);
  }

  /** The number as it stands in the registers, before scaling; absent if not implemented. */
  raw(name: PointName<T>): number | undefined {
    const { type } = this.point(name);
    return type === "string" ? undefined : decodeNumber(type, this.#wordsOf(name));
  }

  text(name: PointName<T>): string | undefined {
    return decodeText(this.#wordsOf(name));
  }

  /** Power of ten of a point; absent if not implemented or outside the legal -10 to 10. */
  scaleOf(name: PointName<T>): number | undefined {
    const scale = this.point(name).scale;
    if (scale === undefined) return 0;
    const exponent = this.raw(scale as PointName<T>);
    return exponent === undefined || Math.abs(exponent) > 10 ? undefined : exponent;
  }

  /** The point lies inside the length that the device states, and does not read "not implemented". */
  implemented(name: PointName<T>): boolean {
    return this.raw(name) !== undefined;
  }

  point(name: PointName<T>): Point {
    // A name of the table's own keys is always there; the general type of the table does not say so.
    return this.table.points[name] as Point;
  }

  #wordsOf(name: PointName<T>): readonly number[] {
    const { offset } = this.point(name);
    return this.#words.slice(offset, offset + sizeOf(this.point(name)));
  }
}

/**
 * Reads as much of a model as the table uses, with its ID and length, which must still be what the walk found.
 * @throws MapMovedError, ModbusError
 */
export async function readBlock<T extends ModelTable>(
  registers: Registers,
  table: T,
  entry: ModelEntry,
  signal: AbortSignal,
): Promise<ModelBlock<T>> {
  let used = 2;
  for (const point of Object.values<Point>(table.points)) used = Math.max(used, point.offset + sizeOf(point));
  // A shorter model is an older revision: what is missing at its end is not implemented.
  const words = await registers.read(entry.address, Math.min(used, entry.length + 2), signal);
  if (words[0] !== entry.id || words[1] !== entry.length) {
    throw new MapMovedError(
      `model ${entry.id} of length ${entry.length} is no longer at ${entry.address}: found ${words[0]}, ${words[1]}`,
    );
  }
  return new ModelBlock(table, entry, words);
}

/** Registers that a point takes. */
export function sizeOf(point: Point): number {
  return point.type === "string" ? (point.words ?? 0) : wordsOf(point.type);
}

/** Raw times a power of ten, exact for the short decimals that devices send (499 at -1 is 49.9, not 49.900000000000006). */
function scaled(raw: number, exponent: number): number {
  return exponent < 0 ? raw / 10 ** -exponent : raw * 10 ** exponent;
}
