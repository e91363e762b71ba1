import type { ModelEntry } from "./model-chain.ts";
import type { ModelTable, Point, PointName } from "./model-table.ts";
import { pointOf } from "./model-table.ts";
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
  readonly #isBlank: boolean;

  constructor(table: T, entry: ModelEntry, words: readonly number[]) {
    this.table = table;
    this.entry = entry;
    this.#words = words;
    this.#isBlank = isBlank(words.slice(2));
  }

  /** The value in the point's unit; absent if the point or its scale factor is not implemented. */
  number(name: PointName<T>): number | undefined {
    return this.#scaled(this.point(name), 0);
  }

  /** The number as it stands in the registers, before scaling; absent if not implemented. */
  raw(name: PointName<T>): number | undefined {
    return this.#raw(this.point(name), 0);
  }

  text(name: PointName<T>): string | undefined {
    return decodeText(this.#wordsOf(this.point(name), 0));
  }

  /** Power of ten of a point; absent if not implemented or outside the legal -10 to 10. */
  scaleOf(name: PointName<T>): number | undefined {
    return this.#exponent(this.point(name));
  }

  /** The point lies inside the length that the device states, and does not read "not implemented". */
  implemented(name: PointName<T>): boolean {
    return this.raw(name) !== undefined;
  }

  point(name: PointName<T>): Point {
    return pointOf(this.table, name);
  }

  /** Groups that are whole in what was read: no more than the device says, and no more than its length holds. */
  get groupCount(): number {
    const { group } = this.table;
    if (group === undefined) return 0;
    const fits = Math.max(0, Math.floor((this.#words.length - group.offset) / group.size));
    const stated = group.count === undefined ? undefined : this.#raw(pointOf(this.table, group.count), 0);
    return Math.min(stated ?? fits, fits);
  }

  /** A point of the group with this index, from 0, in its unit; a text for a point that is one. */
  inGroup(index: number, name: string): number | string | undefined {
    const { group } = this.table;
    const point = group?.points[name];
    if (group === undefined || point === undefined) return undefined;
    const from = group.offset + index * group.size;
    return point.type === "string" ? decodeText(this.#wordsOf(point, from)) : this.#scaled(point, from);
  }

  #scaled(point: Point, from: number): number | undefined {
    const raw = this.#raw(point, from);
    if (raw === undefined || point.scale === undefined) return raw;
    const exponent = this.#exponent(point);
    return exponent === undefined ? undefined : scaled(raw, exponent);
  }

  #exponent(point: Point): number | undefined {
    if (point.scale === undefined) return 0;
    const exponent = this.#raw(pointOf(this.table, point.scale), 0);
    return exponent === undefined || Math.abs(exponent) > 10 ? undefined : exponent;
  }

  #raw(point: Point, from: number): number | undefined {
    return point.type === "string" ? undefined : decodeNumber(point.type, this.#wordsOf(point, from));
  }

  #wordsOf(point: Point, from: number): readonly number[] {
    if (this.#isBlank) return [];
    return this.#words.slice(from + point.offset, from + point.offset + sizeOf(point));
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
  let used = table.group === undefined ? 2 : Number.POSITIVE_INFINITY;
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

/**
 * Nothing but one of the codes for "not implemented", as devices send for some seconds when they wake or restart
 * (SolarEdge). In the wrong type each is a number: 0xFFFF is -1 with a scale of -1.
 */
function isBlank(words: readonly number[]): boolean {
  const [first] = words;
  return words.length > 1 && (first === 0xffff || first === 0x8000) && words.every((word) => word === first);
}

/** Raw times a power of ten, exact for the short decimals that devices send (499 at -1 is 49.9, not 49.900000000000006). */
function scaled(raw: number, exponent: number): number {
  return exponent < 0 ? raw / 10 ** -exponent : raw * 10 ** exponent;
}
