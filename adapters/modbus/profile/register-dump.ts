import { readFileSync } from "node:fs";
import { z } from "zod";
import { ConfigError } from "../../../src/config/load.ts";
import type { Point } from "./point.ts";

type Space = Point["space"];

const words = z.array(z.int().min(0).max(65_535).nullable()).max(65_536);
const bits = z.array(z.union([z.int().min(0).max(1), z.boolean()]).nullable()).max(65_536);
const address = z.int().min(0).max(65_535);
const ranges = z.array(z.strictObject({ address, registers: words })).default([]);
const bitRanges = z.array(z.strictObject({ address, registers: bits })).default([]);

const whole = z.strictObject({
  format: z.literal("setpointd-register-dump-1"),
  unit: z.int().min(0).max(255).optional(),
  takenAt: z.string().optional(),
  spaces: z.strictObject({ holding: ranges, input: ranges, coil: bitRanges, discrete: bitRanges }),
});

/** The form of the public SunSpec dumps: holding registers from one address on. */
const bare = z.object({ base: address, registers: words });

/** What a device's registers held at one time. Addresses count from 0; null is a register that could not be read. */
export class RegisterDump {
  readonly #cells: Readonly<Record<Space, Map<number, number | null>>> = {
    holding: new Map(),
    input: new Map(),
    coil: new Map(),
    discrete: new Map(),
  };

  put(space: Space, start: number, values: readonly (number | boolean | null)[]): this {
    for (const [index, value] of values.entries()) {
      this.#cells[space].set(start + index, value === null ? null : Number(value));
    }
    return this;
  }

  /** Undefined where one of them is not in the dump, or could not be read. */
  read(space: Space, start: number, count: number): readonly number[] | undefined {
    const values: number[] = [];
    for (let index = 0; index < count; index++) {
      const value = this.#cells[space].get(start + index);
      if (value === undefined || value === null) return undefined;
      values.push(value);
    }
    return values;
  }
}

/** @throws ConfigError that names file, key and fault */
export function loadDump(file: string): RegisterDump {
  let raw: unknown;
  try {
    raw = JSON.parse(readFileSync(file, "utf8"));
  } catch (error) {
    const isAbsent = (error as NodeJS.ErrnoException).code === "ENOENT";
    throw new ConfigError([
      { file, path: "", fault: isAbsent ? "there is no such file" : `is no JSON: ${String(error)}` },
    ]);
  }
  const isBare = typeof raw === "object" && raw !== null && "base" in raw;
  const parsed = (isBare ? bare : whole).safeParse(raw);
  if (!parsed.success) {
    throw new ConfigError(
      parsed.error.issues.map(({ path, message }) => ({ file, path: path.join("."), fault: message })),
    );
  }
  const dump = new RegisterDump();
  if ("base" in parsed.data) return dump.put("holding", parsed.data.base, parsed.data.registers);
  for (const [space, list] of Object.entries(parsed.data.spaces)) {
    for (const { address: start, registers } of list) dump.put(space as Space, start, registers);
  }
  return dump;
}
