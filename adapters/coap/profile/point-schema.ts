import { z } from "zod";
import { FORMATS } from "../payload/format.ts";
import { missing, name } from "./profile-words.ts";

const UNITS = ["W", "kW", "mW", "Wh", "kWh", "Wmin", "V", "mV", "A", "mA", "Hz", "%", "C", "s"] as const;

const pathSchema = () =>
  z
    .string({ error: missing("the path on the device, for example /3305/0/5800") })
    .min(2)
    .max(255)
    .regex(/^\/[^?#\s]*$/, "must be a path that begins with /, without a query");

/** One resource of a device: what one request gets. */
export const resourceSchema = () =>
  z.strictObject({
    path: pathSchema(),
    query: z.array(z.string().min(1).max(255)).max(8).default([]),
    format: z.enum(FORMATS, `must be one of ${FORMATS.join(", ")}`).describe("of what is read and what is written"),
    accept: z.boolean().default(true).describe("false: the device does not know the Accept option"),
    observe: z.boolean().default(false).describe("let the device tell changes; it is read as before where it does not"),
    announced: z
      .enum(["coiot"], "must be coiot")
      .optional()
      .describe("the device also sends it unasked, by the status of CoIoT; heard where the config has coap.coiot"),
    poll: z
      .enum(["fast", "slow", "once", "never"], "must be fast, slow, once or never")
      .default("slow")
      .describe("never: only read back after a write, or for the baseline"),
    method: z.enum(["PUT", "POST"]).default("PUT").describe("how it is written"),
    optional: z.boolean().default(false).describe("a device without it is whole without it"),
  });

const pointerSchema = () => z.string().min(1).max(255);

/** One value of a device: where it stands in its resource, and how it is to be read. */
export const pointSchema = () =>
  z.strictObject({
    resource: name,
    at: pointerSchema()
      .optional()
      .describe("JSON pointer such as /meter/power, or the whole SenML name; none where the payload is the value"),
    row: z
      .strictObject({
        list: pointerSchema().describe("JSON pointer of the list"),
        where: z
          .record(z.string().min(1), z.union([z.number(), z.string(), z.boolean()]))
          .refine((value) => Object.keys(value).length > 0, "needs at least one member and what it is"),
        take: z.string().min(1).describe("member of the row that is the value"),
      })
      .optional()
      .describe("instead of `at`: the row of a list in which these members are so"),
    type: z.enum(["number", "boolean", "string"]).default("number"),
    scale: z
      .number("must be a number, for example 0.1")
      .refine((value) => value !== 0, "must not be 0")
      .default(1)
      .describe("value = raw x scale + offset, in `unit`"),
    offset: z.number().default(0),
    unit: z.enum(UNITS, `must be one of ${UNITS.join(", ")}`).optional(),
    sign: z
      .enum(["generation", "consumption"], "must be generation or consumption: what a positive value means")
      .optional()
      .describe("what a positive value means; every power needs it"),
    notImplemented: z.array(z.number()).max(8).default([]).describe("raw values that mean that there is no value"),
    values: z.record(z.string(), z.string().max(40)).optional().describe("what each raw value is called"),
    access: z.enum(["read", "write", "readWrite"]).default("read"),
    readAs: name.optional().describe("for a point that is only written: the point that shows what it holds"),
    optional: z.boolean().default(false).describe("a device without it is whole without it"),
    source: name.optional().describe("id of the source that this row comes from; needed with several sources"),
    uncertain: z.string().min(1).max(300).optional().describe("why this row is not sure"),
  });

export type ResourceSpec = z.output<ReturnType<typeof resourceSchema>>;
export type PointSpec = z.output<ReturnType<typeof pointSchema>>;
