import { EXCEPTION, type ExceptionCode } from "../modbus/modbus-request.ts";
import type { Model } from "./model.ts";
import { decode, encode, noneOf, type PointRow, sizeOf } from "./point.ts";

interface Placed {
  readonly model: Model;
  /** Address of its ID register. */
  readonly start: number;
  /** Registers with ID and L. */
  readonly size: number;
}

const MARKER = [0x5375, 0x6e53];
const END_MODEL = [0xffff, 0];
/** ID and L. */
const HEADER = 2;
/** In a model that is longer than its points. */
const PADDING = 0xffff;

/** A chain of SunSpec models at a base address: the marker, the models one after another, and the end model. */
export class RegisterMap {
  readonly #base: number;
  readonly #placed: readonly Placed[];
  readonly #end: number;

  constructor(base: number, models: readonly Model[]) {
    this.#base = base;
    const placed: Placed[] = [];
    let start = base + MARKER.length;
    for (const model of models) {
      const size =
        model.length === undefined
          ? Math.max(HEADER, ...model.rows.map(([, offset, type]) => offset + sizeOf(type)))
          : HEADER + model.length;
      placed.push({ model, start, size });
      start += size;
    }
    this.#placed = placed;
    this.#end = start + END_MODEL.length;
  }

  /** Registers at this moment, or exception 2 for anything outside of the map. */
  read(address: number, count: number): readonly number[] | ExceptionCode {
    const end = address + count;
    if (address < this.#base || end > this.#end) return EXCEPTION.illegalAddress;
    const registers = new Array<number>(count).fill(0);
    const copy = (values: readonly number[], start: number) => {
      for (const [index, value] of values.entries()) {
        const place = start + index - address;
        if (place >= 0 && place < count) registers[place] = value;
      }
    };
    copy(MARKER, this.#base);
    for (const placed of this.#placed) {
      if (placed.start < end && placed.start + placed.size > address) copy(image(placed), placed.start);
    }
    copy(END_MODEL, this.#end - END_MODEL.length);
    return registers;
  }

  /**
   * Writes all registers or none. Exception 2 for what is not there or can't be written, 3 for a value that is not
   * allowed and for a part of a longer value. The not-implemented code may be written over a point that the device does
   * not have, so that a client can write over a hole in a block; anything else there is refused.
   */
  write(address: number, registers: readonly number[]): ExceptionCode | undefined {
    const end = address + registers.length;
    const placed = this.#placed.find((each) => each.start <= address && each.start + each.size >= end);
    if (placed === undefined) return EXCEPTION.illegalAddress;
    const { model, start } = placed;
    const rows = rowsWithin(placed);
    if (address < start + HEADER || model.write === undefined) return EXCEPTION.illegalAddress;
    const values = model.values();
    const changes = new Map<string, number>();
    for (const row of rows) {
      const [name, offset, type, scale, access] = row;
      const from = start + offset - address;
      const size = sizeOf(type);
      if (from + size <= 0 || from >= registers.length) continue;
      if (access !== "RW") return EXCEPTION.illegalAddress;
      if (from < 0 || from + size > registers.length) return EXCEPTION.illegalValue;
      const written = registers.slice(from, from + size);
      if (values[name] === undefined) {
        if (!isNone(row, written)) return EXCEPTION.illegalAddress;
        continue;
      }
      const value = decode(type, written, scaleOf(model, scale));
      if (value === undefined) return EXCEPTION.illegalValue;
      changes.set(name, value);
    }
    return model.write(changes) ? undefined : EXCEPTION.illegalValue;
  }
}

/** All registers of a model now. */
function image(placed: Placed): number[] {
  const { model, size } = placed;
  const registers = new Array<number>(size).fill(model.length === undefined ? 0 : PADDING);
  registers[0] = model.id;
  registers[1] = size - HEADER;
  const values = model.values();
  for (const [name, offset, type, scale] of rowsWithin(placed)) {
    const value = type === "sunssf" ? model.scales[name] : values[name];
    registers.splice(offset, sizeOf(type), ...encode(type, value, scaleOf(model, scale)));
  }
  return registers;
}

/** The points that a model of this length has whole. */
function rowsWithin({ model, size }: Placed): readonly PointRow[] {
  return model.length === undefined ? model.rows : model.rows.filter(([, at, type]) => at + sizeOf(type) <= size);
}

function scaleOf(model: Model, name: string | undefined): number {
  return name === undefined ? 0 : (model.scales[name] ?? 0);
}

function isNone([, , type]: PointRow, registers: readonly number[]): boolean {
  return noneOf(type).every((register, index) => register === registers[index]);
}
