import { readFileSync } from "node:fs";
import { z } from "zod";
import type { Space } from "../modbus-request.ts";

const address = z.int().min(0).max(65_535);
const word = z.union([z.int().min(0).max(65_535), z.boolean()]).nullable();
const runs = z.array(z.looseObject({ address, registers: z.array(word).max(65_536) })).default([]);

/** As `setpointd modbus dump` writes it. */
const ours = z.looseObject({
  format: z.literal("setpointd-register-dump-1"),
  unit: z.int().min(0).max(255).optional(),
  spaces: z.looseObject({ holding: runs, input: runs, coil: runs, discrete: runs }),
});

/** As SunSpec dumps are published: holding registers from one address on. */
const published = z.looseObject({ base: address, registers: z.array(word).max(65_536) });

/** A dump that can't be read; the message names the file and what is wrong. */
export class DumpError extends Error {
  override readonly name = "DumpError";
}

/** What a device's registers held at one time. */
export interface RegisterDump {
  /** Undefined where the dump does not say. */
  readonly unit: number | undefined;
  /** By space and address, counted from 0. A register that could not be read is not there. */
  readonly cells: Readonly<Record<Space, ReadonlyMap<number, number>>>;
}

/** @throws DumpError */
export function loadDump(file: string): RegisterDump {
  let raw: unknown;
  try {
    raw = JSON.parse(readFileSync(file, "utf8"));
  } catch (error) {
    throw new DumpError(`${file}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
  const isPublished = typeof raw === "object" && raw !== null && "base" in raw;
  const parsed = (isPublished ? published : ours).safeParse(raw);
  if (!parsed.success) throw new DumpError(`${file} is no register dump:\n${z.prettifyError(parsed.error)}`);
  const { data } = parsed;
  const empty = { holding: [], input: [], coil: [], discrete: [] };
  const spaces: z.output<typeof ours>["spaces"] =
    "base" in data
      ? { ...empty, holding: [{ address: Number(data.base), registers: data.registers as (number | null)[] }] }
      : (data as z.output<typeof ours>).spaces;
  return {
    unit: "base" in data ? undefined : (data as z.output<typeof ours>).unit,
    cells: {
      holding: cellsOf(spaces.holding),
      input: cellsOf(spaces.input),
      coil: cellsOf(spaces.coil),
      discrete: cellsOf(spaces.discrete),
    },
  };
}

function cellsOf(list: z.output<typeof runs>): ReadonlyMap<number, number> {
  const cells = new Map<number, number>();
  for (const { address: start, registers } of list) {
    for (const [index, value] of registers.entries()) if (value !== null) cells.set(start + index, Number(value));
  }
  return cells;
}
