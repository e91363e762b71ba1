import { type ModelBlock, readBlock } from "./model-block.ts";
import { findModel, type ModelChain, type ModelEntry } from "./model-chain.ts";
import type { ModelTable } from "./model-table.ts";
import type { Registers } from "./registers.ts";
import { refusesToRead } from "./unreadable.ts";

/** Reads the first model of a table; nothing where the device has none, or does not let it be read now. */
export type ReadModel = <T extends ModelTable>(table: T) => Promise<ModelBlock<T> | undefined>;

/**
 * A reader of the models of one chain. One model that can't be read keeps none of the others from being read: SMA
 * inverters refuse parts of their map by night.
 *
 * @param onUnreadable told which model it was: it may also be that the map has moved
 */
export function modelReader(
  registers: Registers,
  chain: ModelChain,
  signal: AbortSignal,
  onUnreadable: (entry: ModelEntry) => void = () => {},
): ReadModel {
  return async (table) => {
    const entry = findModel(chain, table);
    if (entry === undefined) return undefined;
    try {
      return await readBlock(registers, table, entry, signal);
    } catch (error) {
      if (!refusesToRead(error)) throw error;
      onUnreadable(entry);
      return undefined;
    }
  };
}
