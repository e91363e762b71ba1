import { z } from "zod";
import type { AdapterMemory } from "../../kind.ts";

/** Registers as they stood before our first write. */
export const keptRegisters = z.array(
  z.object({
    address: z.int().min(0).max(0xffff),
    values: z.array(z.int().min(0).max(0xffff)).min(1).max(125),
  }),
);

export type KeptRegisters = readonly { readonly address: number; readonly values: readonly number[] }[];

/**
 * What a device held before our first write. It outlives a crash, so that a gateway which starts again while its own
 * command is in force does not take that for the device's default.
 */
export interface BaselineMemory<Kept = KeptRegisters> {
  /** Absent if nothing of ours may be in the device. */
  get(): Kept | undefined;
  /** Resolves when the disk has it; only then may the first write go out. @throws StoreError if the disk does not take it */
  keep(kept: Kept): Promise<void>;
  /** After the device was given back to itself. */
  forget(): Promise<void>;
}

/**
 * @param name of the device or unit; nobody else keeps anything under it
 * @param shape what was kept by another version and does not fit counts as nothing
 */
export function baselineMemory<Kept>(
  memory: AdapterMemory,
  name: string,
  shape: z.ZodType<Kept>,
): BaselineMemory<Kept> {
  const key = `baseline/${name}`;
  return {
    get: () => {
      const kept = shape.safeParse(memory.get(key));
      return kept.success ? kept.data : undefined;
    },
    keep: (kept) => memory.set(key, kept),
    forget: () => memory.forget(key),
  };
}
