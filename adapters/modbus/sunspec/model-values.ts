import { type ModelBlock, readBlock } from "./model-block.ts";
import type { ModelChain } from "./model-chain.ts";
import type { ModelTable } from "./model-table.ts";
import { allTables } from "./models/all-tables.ts";
import type { Registers } from "./registers.ts";
import { refusesToRead } from "./unreadable.ts";

/** One value of a model as a person reads it. Absent values are left out. */
export interface PointValue {
  /** As the definition names it; points of a group with its place: "module[2].DCW". */
  readonly name: string;
  readonly value: number | string;
  readonly unit?: string;
}

/** A model of the chain with everything that it says now. */
export interface ModelValues {
  readonly id: number;
  readonly address: number;
  readonly length: number;
  /** Absent for a model that is not known here, as those of a vendor are. */
  readonly values?: readonly PointValue[];
  /** Why a known model has no values: the device does not let it be read now. */
  readonly fault?: string;
}

/** The layout of a model; absent if it is not known here. */
function tableOf(id: number): ModelTable | undefined {
  return allTables.find((table) => table.ids.includes(id));
}

/** Reads every known model of a chain whole. @throws ModbusError, MapMovedError */
export async function readModelValues(
  registers: Registers,
  chain: ModelChain,
  signal: AbortSignal,
): Promise<ModelValues[]> {
  const models: ModelValues[] = [];
  for (const entry of chain.models) {
    const table = tableOf(entry.id);
    if (table === undefined) {
      models.push(entry);
      continue;
    }
    try {
      models.push({ ...entry, values: valuesOf(await readBlock(registers, table, entry, signal)) });
    } catch (error) {
      if (!refusesToRead(error)) throw error;
      models.push({ ...entry, fault: error.message });
    }
  }
  return models;
}

function valuesOf(block: ModelBlock<ModelTable>): PointValue[] {
  const { table } = block;
  const values: PointValue[] = [];
  const add = (name: string, value: number | string | undefined, unit: string | undefined) => {
    if (value !== undefined) values.push({ name, value, ...(unit === undefined ? {} : { unit }) });
  };
  for (const [name, point] of Object.entries(table.points)) {
    if (point.type === "sunssf") continue;
    add(name, point.type === "string" ? block.text(name) : block.number(name), point.unit);
  }
  for (let index = 0; index < block.groupCount; index++) {
    for (const [name, point] of Object.entries(table.group?.points ?? {})) {
      add(`${table.group?.name}[${index + 1}].${name}`, block.inGroup(index, name), point.unit);
    }
  }
  return values;
}
