import type { ModelTable } from "./model-table.ts";
import type { Registers } from "./registers.ts";
import { refusesToRead } from "./unreadable.ts";

/** Where a map may begin, the usual place first. */
export const BASES = [40_000, 0, 50_000] as const;
/** "SunS" */
const MARKER = [0x5375, 0x6e53] as const;
const END_ID = 0xffff;
const MAX_MODELS = 200;

/** A model in the device's chain. */
export interface ModelEntry {
  readonly id: number;
  /** Address of its ID register. */
  readonly address: number;
  /** Registers after the length register, as the device states it. */
  readonly length: number;
}

/** All models that a device has, in its order; one id may come several times. */
export interface ModelChain {
  readonly base: number;
  readonly models: readonly ModelEntry[];
  /** False if the chain broke off without its end mark; what was found is usable. */
  readonly complete: boolean;
}

/**
 * Finds the map and walks the chain of models.
 * @returns nothing if there is no SunSpec map at any base
 * @throws ModbusError when the device can't be asked
 */
export async function walkModels(registers: Registers, signal: AbortSignal): Promise<ModelChain | undefined> {
  for (const base of BASES) {
    const marker = await readable(registers, base, 2, signal);
    if (marker?.[0] === MARKER[0] && marker[1] === MARKER[1]) return walkFrom(registers, base, signal);
  }
  return undefined;
}

/** The first model of a table's kind. A second model 1 begins another device behind the same map, such as a meter. */
export function findModel(chain: ModelChain, table: ModelTable): ModelEntry | undefined {
  return chain.models.find((model) => table.ids.includes(model.id));
}

/** All models with one of these ids, in the order of the map. */
export function findModels(chain: ModelChain, ids: readonly number[]): readonly ModelEntry[] {
  return chain.models.filter((model) => ids.includes(model.id));
}

async function walkFrom(registers: Registers, base: number, signal: AbortSignal): Promise<ModelChain> {
  const models: ModelEntry[] = [];
  let address = base + 2;
  while (models.length < MAX_MODELS && address < 0xffff) {
    const header = await readHeader(registers, address, signal);
    if (header === undefined) return { base, models, complete: false };
    if (header.id === END_ID) return { base, models, complete: true };
    // A length of 0 would make the walk stand still in an unwritten map; past the last register nothing can follow.
    if (header.length === 0 || address + 2 + header.length > 0xffff) return { base, models, complete: false };
    models.push({ ...header, address });
    address += 2 + header.length;
  }
  return { base, models, complete: false };
}

/** Some devices end with the end mark alone, so that reading its length with it is refused. */
async function readHeader(
  registers: Registers,
  address: number,
  signal: AbortSignal,
): Promise<{ id: number; length: number } | undefined> {
  const both = await readable(registers, address, 2, signal);
  const id = both?.[0] ?? (await readable(registers, address, 1, signal))?.[0];
  if (id === undefined) return undefined;
  if (id === END_ID) return { id, length: 0 };
  const length = both?.[1] ?? (await readable(registers, address + 1, 1, signal))?.[0];
  return length === undefined ? undefined : { id, length };
}

/** Registers, or nothing if the device says that it has none there. */
async function readable(
  registers: Registers,
  address: number,
  count: number,
  signal: AbortSignal,
): Promise<readonly number[] | undefined> {
  try {
    return await registers.read(address, count, signal);
  } catch (error) {
    // Illegal function, address, value or a device failure: there is no map here. A gateway that can't reach its device
    // says nothing about the map.
    if (refusesToRead(error)) return undefined;
    throw error;
  }
}
