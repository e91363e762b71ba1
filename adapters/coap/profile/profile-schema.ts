import { z } from "zod";
import { controlSchema } from "./control-schema.ts";
import { pointSchema, resourceSchema } from "./point-schema.ts";
import { missing, name } from "./profile-words.ts";

const sumSchema = () => z.union([name, z.array(name).min(1).max(12)]);

const textSchema = () => z.union([z.strictObject({ point: name }), z.string().min(1).max(80)]);

const notesSchema = () => z.array(z.string().min(1).max(400)).max(20);

const patternSchema = () =>
  z.string().min(1).max(80).describe("* stands for anything; upper and lower case are the same");

const quirkSchema = () =>
  z.strictObject({
    match: z
      .strictObject({
        vendor: patternSchema().optional(),
        model: patternSchema().optional(),
        firmware: patternSchema().optional(),
      })
      .refine((value) => Object.keys(value).length > 0, "needs vendor, model or firmware")
      .describe("firmware also takes <, <=, > or >= before a version, for example <3.50"),
    because: z.string().min(1).max(400).describe("what the device does otherwise"),
    source: name.optional(),
    uncertain: z.string().min(1).max(300).optional(),
    patch: z
      .record(z.string(), z.unknown())
      .describe("keys of this profile that are other for such a device, for example { points: { soc: { scale: 1 } } }"),
  });

const KINDS = ["inverter", "battery", "charger", "load", "meter"] as const;

const BLOCKS = [64, 128, 256, 512, 1024] as const;

/**
 * A CoAP device profile: how one model of a device is read and told a power, as data. It is made when a profile is read: a
 * gateway without such a device has little memory, and no use for it.
 */
export const profileSchema = () =>
  z.strictObject({
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
        { error: missing("where the paths and numbers come from") },
      )
      .min(1, "needs at least one: where the paths and numbers come from")
      .max(20),
    uncertain: notesSchema().default([]).describe("what nobody has checked on a device"),
    notes: notesSchema().default([]).describe("what a technician has to set up or to know"),
    transport: z
      .strictObject({
        port: z.int().min(1).max(65_535).optional(),
        deadlineMs: z.int().min(100).max(120_000).optional(),
        pollMs: z.int().min(100).max(3_600_000).optional(),
        blockBytes: z
          .union(
            BLOCKS.map((size) => z.literal(size)),
            `must be one of ${BLOCKS.join(", ")}`,
          )
          .default(1024)
          .describe("payload that the device takes in one message; more goes in blocks"),
      })
      .prefault({})
      .describe("taken where the config says nothing"),
    limits: z
      .strictObject({
        slowPollMs: z.int().min(1000).max(3_600_000).default(30_000).describe("time between two slow polls"),
        checkMs: z
          .int()
          .min(1000)
          .max(3_600_000)
          .default(10_000)
          .describe("time between two looks whether the device still holds its order; it may have restarted"),
        quietMs: z
          .int()
          .min(1000)
          .max(3_600_000)
          .default(10_000)
          .describe("an observed resource that says nothing for so long is asked, and observed anew"),
      })
      .prefault({}),
    discovery: z
      .array(z.string().min(2).max(255).startsWith("/"))
      .max(20)
      .default([])
      .describe("paths that /.well-known/core must list, else it is another device"),
    identity: z
      .strictObject({
        vendor: textSchema().optional(),
        model: textSchema().optional(),
        firmware: textSchema().optional(),
        serial: textSchema().optional(),
      })
      .prefault({}),
    identify: z
      .array(
        z
          .strictObject({
            point: name,
            equals: z.union([z.number(), z.string(), z.boolean()]).optional(),
            min: z.number().optional(),
            max: z.number().optional(),
          })
          .refine((check) => Object.keys(check).length > 1, "needs equals, min or max"),
      )
      .max(10)
      .default([])
      .describe("what must be true of the device before anything is written"),
    resources: z.record(name, resourceSchema()).default({}),
    points: z.record(name, pointSchema()).default({}),
    readings: z
      .strictObject({
        powerKW: sumSchema().optional().describe("several points are added"),
        importKWh: sumSchema().optional(),
        exportKWh: sumSchema().optional(),
        voltageV: sumSchema().optional().describe("several points: the mean of those that are there"),
        currentA: sumSchema().optional().describe("one point a phase"),
        socPercent: name.optional(),
        frequencyHz: name.optional(),
        temperatureC: name.optional(),
        offeredKW: sumSchema().optional(),
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
    controls: z.record(name, controlSchema()).default({}).describe("the first one that the device has is used"),
    quirks: z.array(quirkSchema()).max(40).default([]),
  });

export type Profile = z.output<ReturnType<typeof profileSchema>>;
