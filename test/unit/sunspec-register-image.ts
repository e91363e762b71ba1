import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { ModbusError } from "../../adapters/modbus/link/modbus-error.ts";
import type { Registers } from "../../adapters/modbus/sunspec/registers.ts";

/** Registers in memory, as a device would show them. Outside of the image it answers exception 2. */
export class RegisterImage implements Registers {
  readonly base: number;
  readonly words: number[];
  readonly reads: { address: number; count: number }[] = [];
  /** Addresses that the device does not let be read. */
  readonly unreadable = new Set<number>();
  readonly writes: { address: number; values: readonly number[] }[] = [];
  /** Called with each write; throw to refuse it, return false to ignore it. */
  onWrite: (address: number, values: readonly number[]) => boolean = () => true;

  constructor(base: number, words: readonly number[]) {
    this.base = base;
    this.words = [...words];
  }

  async open(): Promise<number> {
    return 1;
  }

  async read(address: number, count: number): Promise<readonly number[]> {
    this.reads.push({ address, count });
    const from = address - this.base;
    if (from < 0 || from + count > this.words.length) throw illegalAddress();
    for (let each = address; each < address + count; each++) if (this.unreadable.has(each)) throw illegalAddress();
    return this.words.slice(from, from + count);
  }

  async write(address: number, values: readonly number[]): Promise<void> {
    this.writes.push({ address, values });
    if (!this.onWrite(address, values)) return;
    const from = address - this.base;
    if (from < 0 || from + values.length > this.words.length) throw illegalAddress();
    this.words.splice(from, values.length, ...values);
  }
}

/** A map of models: marker, each `[id, ...data]` with its length, and the end mark. */
export function mapOf(models: readonly (readonly [id: number, data: readonly number[]])[]): number[] {
  const words = [0x5375, 0x6e53];
  for (const [id, data] of models) words.push(id, data.length, ...data);
  return [...words, 0xffff, 0];
}

/** Data of a model: `length` words of one filling, with some set by their offset from the ID register. */
export function modelData(length: number, filling: number, set: Readonly<Record<number, number>>): number[] {
  const data = new Array<number>(length).fill(filling);
  for (const [offset, word] of Object.entries(set)) data[Number(offset) - 2] = word & 0xffff;
  return data;
}

/** Data of a common model (1) with a maker, a model and a serial number. */
export function commonData(maker: string, model = "", serial = ""): number[] {
  const data = new Array<number>(66).fill(0);
  for (const [offset, text] of [
    [2, maker],
    [18, model],
    [50, serial],
  ] as const) {
    for (let index = 0; index < text.length; index++) {
      const place = offset - 2 + (index >> 1);
      data[place] = (data[place] ?? 0) | (text.charCodeAt(index) << (index % 2 === 0 ? 8 : 0));
    }
  }
  return data;
}

export function illegalAddress(): ModbusError {
  return new ModbusError("exception", "exception 2", { code: 2 });
}

/** Real register dumps and model definitions, which are not part of the project. */
export const FIXTURES = resolve(import.meta.dirname, "../../../shared/fixtures/sunspec");
export const hasFixtures = existsSync(FIXTURES);

export function fixtureJson(path: string): unknown {
  return JSON.parse(readFileSync(resolve(FIXTURES, path), "utf8"));
}

/** A dump of a real device. A word that could not be read can't be read here either. */
export function dumpImage(name: string): RegisterImage {
  const dump = fixtureJson(`dumps/${name}.json`) as { base: number; registers: (number | null)[] };
  const image = new RegisterImage(
    dump.base,
    dump.registers.map((word) => word ?? 0),
  );
  for (const [index, word] of dump.registers.entries()) if (word === null) image.unreadable.add(dump.base + index);
  return image;
}
