import { z } from "zod";

// Only what a simulated device needs is looked at; whether the rest of a profile is right, others judge.

const sources = z
  .union([z.number(), z.string(), z.array(z.union([z.number(), z.string()]))])
  .transform((given) => (Array.isArray(given) ? given : [given]));

const names = z.union([z.string(), z.array(z.string())]).transform((given) => (Array.isArray(given) ? given : [given]));

const point = z.looseObject({
  register: z.int().min(0).max(65_536),
  space: z.enum(["holding", "input", "coil", "discrete"]).default("holding"),
  type: z.enum(["u16", "i16", "u32", "i32", "u64", "i64", "f32", "f64", "str", "bit"]).default("u16"),
  length: z.int().min(1).max(64).default(1),
  order: z.enum(["ABCD", "CDAB", "BADC", "DCBA"]).default("ABCD"),
  bits: z.looseObject({ shift: z.int().default(0), mask: z.int() }).optional(),
  scale: z.number().default(1),
  scaleFrom: z.string().optional(),
  offset: z.number().default(0),
  unit: z.string().optional(),
  sign: z.enum(["generation", "consumption"]).optional(),
  direction: z.looseObject({ point: z.string(), generation: z.int(), consumption: z.int() }).optional(),
  notImplemented: z.array(z.number()).default([]),
  values: z.record(z.string(), z.string()).optional(),
  access: z.enum(["read", "write", "readWrite"]).default("read"),
  readAs: z.string().optional(),
  writeFunction: z.int().optional(),
  shared: z.boolean().default(false),
});

const plainValue = z.union([z.number(), z.string()]);
const value = z.union([
  plainValue,
  z.looseObject({ consumption: plainValue, generation: plainValue, zero: plainValue }),
]);
const write = z.looseObject({
  point: z.string(),
  value,
  when: z.enum(["consumption", "generation", "zero"]).optional(),
});
type Write = z.output<typeof write>;
const fixed = z.looseObject({ point: z.string(), value: plainValue });

const fixedSteps = z
  .array(z.union([fixed, z.looseObject({ atomic: z.array(fixed) })]))
  .transform((steps) =>
    steps.flatMap((one) =>
      "atomic" in one ? (one.atomic as z.output<typeof fixed>[]) : [one as z.output<typeof fixed>],
    ),
  );
/** Writes that go out in one request are listed with the others: what counts here is what they leave behind. */
const steps = z
  .array(z.union([write, z.looseObject({ atomic: z.array(write) })]))
  .transform((all): Write[] => all.flatMap((step) => ("atomic" in step ? (step.atomic as Write[]) : [step as Write])));

const control = z.looseObject({
  kind: z.enum(["setpoint", "limit"]),
  failsafe: z.string().default("none"),
  convert: z.looseObject({
    to: z.enum(["watts", "percentOf", "amps"]),
    base: sources.optional(),
    phases: sources.optional(),
    volts: sources.optional(),
  }),
  limits: z
    .looseObject({
      generation: sources.optional(),
      consumption: sources.optional(),
      least: sources.optional(),
    })
    .prefault({}),
  sequence: steps,
  enable: fixed.optional(),
  off: fixedSteps.prefault([]),
  release: z.union([z.string(), z.looseObject({ writes: steps })]).optional(),
  reversion: z.looseObject({ seconds: z.number(), proof: z.looseObject({ point: z.string() }).optional() }).optional(),
  heartbeat: z.looseObject({ everyS: z.number(), mode: z.string(), point: z.string().optional() }).optional(),
});

const text = z.union([z.looseObject({ point: z.string() }), z.string()]).optional();

export const profileShape = z.looseObject({
  id: z.string(),
  title: z.string().default(""),
  vendor: z.string().default("Simulated"),
  models: z.array(z.string()).default([]),
  kind: z.enum(["inverter", "battery", "charger", "meter"]),
  transport: z.looseObject({ unit: z.int().optional(), maxClients: z.int().optional() }).prefault({}),
  limits: z
    .looseObject({
      maxRead: z.int().default(125),
      maxGap: z.int().default(8),
      maxWrite: z.int().default(123),
    })
    .prefault({}),
  addressBase: z.int().default(0),
  connectorStep: z.int().default(0),
  sunspec: z.looseObject({}).optional(),
  identity: z.looseObject({ vendor: text, model: text, firmware: text, serial: text }).prefault({}),
  identify: z
    .array(
      z.looseObject({
        point: z.string(),
        equals: plainValue.optional(),
        oneOf: z.array(plainValue).optional(),
        like: z.string().optional(),
        min: z.number().optional(),
        max: z.number().optional(),
      }),
    )
    .default([]),
  points: z.record(z.string(), point).default({}),
  readings: z
    .looseObject({
      powerKW: names.optional(),
      importKWh: names.optional(),
      exportKWh: names.optional(),
      voltageV: names.optional(),
      currentA: names.optional(),
      socPercent: names.optional(),
      frequencyHz: names.optional(),
      temperatureC: names.optional(),
      offeredKW: names.optional(),
    })
    .prefault({}),
  presence: z.looseObject({ point: z.string(), present: z.array(z.string()).min(1) }).optional(),
  capacityKWh: plainValue.optional(),
  controls: z.record(z.string(), control).default({}),
});

export type ProfileShape = z.output<typeof profileShape>;
export type PointShape = ProfileShape["points"][string];
export type ControlShape = ProfileShape["controls"][string];
export type SourceList = readonly (number | string)[];
