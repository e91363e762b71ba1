import { z } from "zod";
import { controlSchema } from "./control-schema.ts";
import { pointSchema } from "./point-schema.ts";
import { missing, name } from "./profile-words.ts";

const pattern = z.string().min(1).max(80).describe("* stands for anything; upper and lower case are the same");

const sunSpecQuirks = z.strictObject({
  minPercent: z.number().min(0).max(20).optional().describe("least WMaxLimPct"),
  rearm: z
    .enum(["none", "write_enable", "toggle"])
    .optional()
    .describe("what makes a new limit count: nothing more, writing the enable point, or switching it off and on"),
  writeFunction: z.union([z.literal(6), z.literal(16)]).optional(),
  readback: z.boolean().optional().describe("false: the registers do not tell what is in force"),
  failsafe: z.enum(["device", "vendor", "gateway-only", "none"]).optional(),
  cyclic: z.enum(["ok", "no", "unknown"]).optional(),
  control: z.enum(["704", "123", "124", "none"]).optional(),
});

const match = z
  .strictObject({ vendor: pattern.optional(), model: pattern.optional(), firmware: pattern.optional() })
  .refine((value) => Object.keys(value).length > 0, "needs vendor, model or firmware")
  .describe("firmware also takes <, <=, > or >= before a version, for example <3.50");

const quirk = z.strictObject({
  match,
  because: z.string().min(1).max(400).describe("what the device does otherwise"),
  source: name.optional(),
  uncertain: z.string().min(1).max(300).optional(),
  sunspec: sunSpecQuirks.optional(),
  patch: z
    .record(z.string(), z.unknown())
    .optional()
    .describe("keys of this profile that are other for such a device, for example { points: { soc: { scale: 1 } } }"),
});

const sum = z.union([name, z.array(name).min(1).max(12)]);

const text = z.union([z.strictObject({ point: name }), z.string().min(1).max(80)]);

const notes = z.array(z.string().min(1).max(400)).max(20);

export const KINDS = ["inverter", "battery", "charger", "meter"] as const;

/** A device profile: how one model of a Modbus device is read and told a power, as data. */
export const profileSchema = z.strictObject({
  $schema: z.string().optional(),
  id: z
    .string({ error: missing("the name under which a config selects it") })
    .regex(/^[a-z0-9][a-z0-9-]{1,47}$/, "must be of small letters, digits and -, for example acme-box-22"),
  title: z
    .string({ error: missing("one line for a person") })
    .min(1)
    .max(100),
  vendor: z.string().min(1).max(60),
  models: z.array(z.string().min(1).max(80)).max(40).default([]),
  kind: z.enum(KINDS, { error: missing(KINDS.join(", ")) }),
  sources: z
    .array(
      z.strictObject({
        id: name,
        title: z.string().min(1).max(200),
        url: z.url().optional(),
        version: z.string().max(80).optional(),
      }),
      { error: missing("where the numbers come from") },
    )
    .min(1, "needs at least one: where the numbers come from")
    .max(20),
  uncertain: notes.default([]).describe("what nobody has checked on a device"),
  notes: notes.default([]).describe("what a technician has to set up or to know"),
  transport: z
    .strictObject({
      port: z.int().min(1).max(65_535).optional(),
      unit: z.int().min(1).max(255).optional(),
      timeoutMs: z.int().min(50).max(30_000).optional(),
      gapMs: z.int().min(0).max(5000).optional(),
      pollMs: z.int().min(100).max(60_000).optional(),
      connectDelayMs: z.int().min(0).max(30_000).optional(),
      maxClients: z.int().min(1).max(100).optional().describe("connections that the device takes at a time"),
      serial: z
        .strictObject({
          baudRate: z.int().min(1200).max(921_600),
          parity: z.enum(["none", "even", "odd"]),
          stopBits: z.union([z.literal(1), z.literal(2)]).default(1),
        })
        .optional()
        .describe("factory setting of the serial line"),
    })
    .prefault({})
    .describe("taken where the config says nothing"),
  limits: z
    .strictObject({
      maxRead: z.int().min(1).max(125).default(125).describe("most registers in one read"),
      maxGap: z.int().min(0).max(100).default(8).describe("unused registers that may be read along with a block"),
      maxWrite: z.int().min(1).max(123).default(123),
      slowPollMs: z.int().min(1000).max(3_600_000).default(30_000).describe("time between two slow polls"),
    })
    .prefault({}),
  addressBase: z.union([z.literal(0), z.literal(1)]).default(0),
  connectorStep: z
    .int()
    .min(1)
    .max(20_000)
    .optional()
    .describe("added to each register once for every connector, config key `connector`, from 1"),
  sunspec: z
    .strictObject({
      control: z.enum(["auto", "704", "123", "124", "none"]).optional(),
      minPercent: z.number().min(0).max(20).optional(),
    })
    .optional()
    .describe("the device carries SunSpec models: they say where the points are, and only quirks stand here"),
  identity: z
    .strictObject({
      vendor: text.optional(),
      model: text.optional(),
      firmware: text.optional(),
      serial: text.optional(),
    })
    .prefault({}),
  identify: z
    .array(
      z
        .strictObject({
          point: name,
          equals: z.union([z.number(), z.string()]).optional(),
          oneOf: z
            .array(z.union([z.number(), z.string()]))
            .min(1)
            .max(50)
            .optional(),
          like: pattern.optional(),
          min: z.number().optional(),
          max: z.number().optional(),
        })
        .refine((check) => Object.keys(check).length > 1, "needs equals, oneOf, like, min or max"),
    )
    .max(10)
    .default([])
    .describe("what must be true of the device before anything is written"),
  points: z.record(name, pointSchema).default({}),
  readings: z
    .strictObject({
      powerKW: sum.optional().describe("several points are added"),
      importKWh: sum.optional(),
      exportKWh: sum.optional(),
      voltageV: sum.optional().describe("several points: the mean of those that are there"),
      currentA: sum.optional().describe("one point a phase"),
      socPercent: name.optional(),
      frequencyHz: name.optional(),
      temperatureC: name.optional(),
      offeredKW: sum.optional(),
    })
    .prefault({}),
  presence: z
    .strictObject({
      point: name,
      present: z.array(z.string()).min(1).max(20).describe("names or raw values with which a car is there"),
    })
    .optional()
    .describe("for a charger: without a car it can do nothing"),
  capacityKWh: z.union([name, z.number().positive()]).optional(),
  controls: z.record(name, controlSchema).default({}).describe("the first one that the device has is used"),
  quirks: z.array(quirk).max(40).default([]),
});

export type Profile = z.output<typeof profileSchema>;
export type SunSpecQuirkPart = z.output<typeof sunSpecQuirks>;
