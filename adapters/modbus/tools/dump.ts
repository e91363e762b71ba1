import { writeFile } from "node:fs/promises";
import { ModbusError } from "../link/modbus-error.ts";
import type { Space } from "../link/modbus-link.ts";
import { piecesOf, type RegisterRange } from "../link/register-range.ts";
import type { FieldBus } from "./field-bus.ts";
import { chainOf } from "./scan.ts";

/** Short enough for dongles that refuse long reads. */
const MOST_PER_READ = 60;
const TRIES = 3;
const MARKER_REGISTERS = 2;

/** One run of a space; null where the device refused to tell. */
export interface DumpedRun {
  readonly address: number;
  readonly registers: readonly (number | null)[];
}

/** All that a unit showed, 0-based. `profile test` and `sim --dump` read it. */
export interface RegisterDump {
  readonly format: "setpointd-register-dump-1";
  readonly unit: number;
  readonly takenAt: string;
  readonly spaces: Readonly<Partial<Record<Space, readonly DumpedRun[]>>>;
}

/** The runs that a SunSpec map takes, each model by itself since some devices refuse to read across two. */
export async function sunspecRanges(bus: FieldBus, unit: number): Promise<readonly RegisterRange[] | undefined> {
  const chain = await chainOf(bus, unit);
  if (chain === undefined) return undefined;
  const models = chain.models.map(({ address, length }) => ({ address, count: 2 + length }));
  const last = models.at(-1);
  const end = last === undefined ? chain.base + MARKER_REGISTERS : last.address + last.count;
  return [
    { address: chain.base, count: MARKER_REGISTERS },
    ...models,
    ...(chain.complete && end + 2 <= 0x10000 ? [{ address: end, count: 2 }] : []),
  ];
}

/**
 * Reads ranges of one space; a range that the device refuses as a whole is read in ever smaller parts. Writes nothing.
 * @throws ModbusError where the device falls silent
 */
export async function dumpSpace(
  bus: FieldBus,
  unit: number,
  space: Space,
  ranges: readonly RegisterRange[],
  onProgress: (registers: number) => void,
): Promise<readonly DumpedRun[]> {
  const runs: { address: number; registers: (number | null)[] }[] = [];
  let done = 0;
  for (const range of ranges) {
    const registers: (number | null)[] = [];
    for (const piece of piecesOf(range.address, range.count, MOST_PER_READ)) {
      registers.push(...(await readPiece(bus, unit, space, piece)));
      done += piece.count;
      onProgress(done);
    }
    const before = runs.at(-1);
    if (before !== undefined && before.address + before.registers.length === range.address) {
      before.registers.push(...registers);
    } else runs.push({ address: range.address, registers });
  }
  return runs.filter(({ registers }) => registers.some((register) => register !== null));
}

async function readPiece(
  bus: FieldBus,
  unit: number,
  space: Space,
  { address, count }: RegisterRange,
): Promise<(number | null)[]> {
  for (let attempt = 1; ; attempt++) {
    try {
      return [...(await bus.read(unit, space, address, count))];
    } catch (error) {
      if (!(error instanceof ModbusError)) throw error;
      if (error.fault === "exception" && error.code !== undefined && error.code <= 4) break;
      if (attempt >= TRIES) throw error;
    }
  }
  if (count === 1) return [null];
  const half = Math.ceil(count / 2);
  return [
    ...(await readPiece(bus, unit, space, { address, count: half })),
    ...(await readPiece(bus, unit, space, { address: address + half, count: count - half })),
  ];
}

/** The dump as JSON, a run's registers in one line. */
export function dumpText(dump: RegisterDump): string {
  const text = JSON.stringify(dump, null, 1);
  return `${text.replace(/\[\s+(?:(?:\d+|null),?\s+)+\]/g, (list) => list.replace(/\s+/g, ""))}\n`;
}

export async function writeDump(file: string, dump: RegisterDump): Promise<void> {
  await writeFile(file, dumpText(dump));
}
