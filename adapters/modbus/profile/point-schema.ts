import { z } from "zod";
import { name } from "./profile-words.ts";

export const SPACES = ["holding", "input", "coil", "discrete"] as const;
export const TYPES = ["u16", "i16", "u32", "i32", "u64", "i64", "f32", "f64", "str", "bit"] as const;
export const ORDERS = ["ABCD", "CDAB", "BADC", "DCBA"] as const;
export const UNITS = ["W", "kW", "mW", "Wh", "kWh", "V", "mV", "A", "mA", "Hz", "%", "C", "s", "ms", "min"] as const;

const mask = z.int().min(1).max(0xffff_ffff);

/** One value of a device: where it stands, and how its registers are to be read. */
export const pointSchema = z.strictObject({
  register: z
    .int("must be a register number, for example 40083 or 0x4000")
    .min(0)
    .max(65_536)
    .describe("as the manual counts; `addressBase` says whether it counts from 0 or 1"),
  space: z.enum(SPACES).default("holding"),
  type: z.enum(TYPES, `must be one of ${TYPES.join(", ")}`).default("u16"),
  length: z.int().min(1).max(64).optional().describe("registers of a str"),
  order: z
    .enum(ORDERS, "must be ABCD (most significant first), CDAB (words swapped), BADC (bytes swapped) or DCBA")
    .default("ABCD")
    .describe("bytes of two registers as they come; for 64 bits the same with all four words"),
  bits: z
    .strictObject({ shift: z.int().min(0).max(31).default(0), mask })
    .optional()
    .describe("the value is only this part: (raw >> shift) & mask"),
  scale: z
    .number("must be a number, for example 0.1")
    .refine((value) => value !== 0, "must not be 0")
    .default(1)
    .describe("value = raw x scale + offset, in `unit`"),
  scaleFrom: name.optional().describe("point whose value is a power of ten that multiplies as well"),
  offset: z.number().default(0),
  unit: z.enum(UNITS, `must be one of ${UNITS.join(", ")}`).optional(),
  sign: z
    .enum(["generation", "consumption"], "must be generation or consumption: what a positive value means")
    .optional()
    .describe("what a positive value means; every power needs it"),
  direction: z
    .strictObject({ point: name, generation: mask, consumption: mask })
    .optional()
    .describe("for a magnitude without a sign: the point whose bits say which way it flows"),
  notImplemented: z
    .array(z.number().refine(Number.isInteger, "must be whole: the raw number in the registers"))
    .max(8)
    .default([])
    .describe("raw values that mean that there is no value"),
  values: z
    .record(z.string().regex(/^\d+$/, "must be a raw value, for example 3"), z.string().max(40))
    .optional()
    .describe("what each raw value is called"),
  flags: z.record(z.string().regex(/^\d+$/), z.string().max(40)).optional().describe("what each bit is called"),
  poll: z
    .enum(["fast", "slow", "once", "never"], "must be fast, slow, once or never")
    .default("slow")
    .describe("never: only read back after a write, or for the baseline"),
  access: z.enum(["read", "write", "readWrite"]).default("read"),
  readAs: name.optional().describe("for a point that is only written: the point that shows what it holds"),
  writeFunction: z
    .union([z.literal(6), z.literal(16)], "must be 6 or 16")
    .optional()
    .describe("the function code that the device takes; 6 for one register and 16 for more unless given"),
  optional: z.boolean().default(false).describe("a device without it is whole without it"),
  shared: z.boolean().default(false).describe("of the whole station: `connectorStep` is not added"),
  source: name.optional().describe("id of the source that this row comes from; needed with several sources"),
  uncertain: z.string().min(1).max(300).optional().describe("why this row is not sure"),
});

export type PointSpec = z.output<typeof pointSchema>;

/** Registers that a value takes, or 1 bit. */
export function widthOf(point: Pick<PointSpec, "type" | "length">): number {
  switch (point.type) {
    case "u16":
    case "i16":
    case "bit":
      return 1;
    case "u32":
    case "i32":
    case "f32":
      return 2;
    case "u64":
    case "i64":
    case "f64":
      return 4;
    case "str":
      return point.length ?? 1;
  }
}
