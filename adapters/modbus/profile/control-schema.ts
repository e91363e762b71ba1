import { z } from "zod";
import { missing, name, sources } from "./profile-words.ts";

const WORDS = [
  "power",
  "consumption",
  "generation",
  "magnitude",
  "reversion",
  "maxConsumption",
  "maxGeneration",
  "keep",
] as const;

/**
 * What a write puts in: a number in the point's own unit, or a word. `power` is the target with the point's sign,
 * `consumption` and `generation` are what of it goes that way (0 else), `magnitude` has no sign; `reversion` is the armed time, `max...` the limits, `keep` what the register holds already.
 */
const plainValue = z.union([
  z.number(),
  z.enum(WORDS, `must be a number in the point's unit, or one of ${WORDS.join(", ")}`),
]);

const value = z.union([
  plainValue,
  z.strictObject({
    consumption: plainValue.describe("while the target consumes"),
    generation: plainValue.describe("while the target generates"),
    zero: plainValue.describe("while the target is 0"),
  }),
]);

const write = z.strictObject({
  point: name,
  value,
  when: z.enum(["consumption", "generation", "zero"]).optional().describe("only for such a target"),
  onlyIfChanged: z.boolean().default(false).describe("not written where the device already holds it"),
});

const step = z.union([
  write,
  z.strictObject({
    atomic: z.array(write).min(2).max(40).describe("neighbours that go out in one request"),
  }),
]);

const fixedWrite = z.strictObject({ point: name, value: plainValue });

const fixedStep = z.union([
  fixedWrite,
  z.strictObject({ atomic: z.array(fixedWrite).min(2).max(40).describe("neighbours that go out in one request") }),
]);

export const controlSchema = z.strictObject({
  kind: z
    .enum(["setpoint", "limit"], { error: missing("setpoint (the device holds the power) or limit (it may do less)") })
    .describe("setpoint: the device holds the power. limit: it may do less"),
  needs: z.array(name).max(8).default([]).describe("points that must be there, else the next control is tried"),
  failsafe: z.enum(["device", "vendor", "gateway-only", "none"], {
    error: missing("what the device does when the gateway dies: device, vendor, gateway-only or none"),
  }),
  failsafeNote: z.string().max(400).optional().describe("what a technician has to set up, or to know"),
  convert: z.strictObject(
    {
      to: z.enum(["watts", "percentOf", "amps"], { error: missing("watts, percentOf or amps") }),
      base: sources.optional().describe("W that are 100 %, for percentOf"),
      phases: sources.optional().describe("phases that carry the current, for amps"),
      volts: sources.optional().describe("V between line and neutral, for amps"),
      round: z.enum(["down", "nearest"]).default("down").describe("down: towards 0, so that no order is ever exceeded"),
      zero: z
        .enum(["value", "least", "off", "refuse"])
        .default("value")
        .describe(
          "0 kW is a value as others, the least one (for a device that locks up at 0), the `off` sequence, or refused",
        ),
    },
    { error: missing("how kW become the device's own quantity") },
  ),
  limits: z
    .strictObject(
      {
        generation: sources.optional().describe("greatest generation in the converted quantity; absent: none"),
        consumption: sources.optional().describe("greatest consumption in the converted quantity; absent: none"),
        least: sources.optional().describe("least magnitude that the device takes"),
        belowLeast: z.enum(["off", "least"]).default("off").describe("what an order below `least` becomes"),
      },
      { error: missing("how far the device goes: generation, consumption, or both") },
    )
    .describe("in W, A or %, as `convert` says"),
  sequence: z
    .array(step)
    .min(1, "needs at least one write")
    .max(40)
    .describe("in this order; it ends at the first fault"),
  enable: fixedWrite.optional().describe("written last, and taken back first"),
  off: z.array(fixedStep).min(1).max(40).optional().describe("what 0 kW means, with `zero: off`"),
  release: z.union(
    [z.literal("baseline"), z.strictObject({ writes: z.array(fixedStep).min(1, "needs at least one write").max(40) })],
    { error: missing("`baseline` (what the registers held before the first write), or `writes`") },
  ),
  reversion: z
    .strictObject({
      seconds: z.number().min(1).max(86_400).describe("time after which the device falls back by itself"),
      least: z.number().min(1).max(3600).default(1).describe("shortest time that the device takes, s"),
      proof: z
        .strictObject({ point: name, atLeast: z.number().default(1) })
        .optional()
        .describe("point that shows that the timer runs"),
    })
    .optional(),
  heartbeat: z
    .strictObject({
      everyS: z.number().min(0.5).max(3600),
      mode: z
        .enum(["rewrite", "increment", "read"])
        .describe(
          "rewrite: the whole sequence again, or what it writes to `point`. increment: `point` counts up. read: `point` is read",
        ),
      point: name.optional(),
    })
    .optional()
    .describe("what the device must hear so that it does not fall back"),
  verify: z
    .strictObject(
      {
        readback: z
          .boolean({ error: missing("true, or false where the registers do not show what is in force") })
          .describe("compare the written registers"),
        readbackS: z.number().min(0).max(60).default(2).describe("time within which they show it"),
        effect: z
          .strictObject({ settleS: z.number().min(0).max(600) })
          .optional()
          .describe("time until the meter shows the order; the verdict is by the meter"),
      },
      { error: missing("`readback`, and `effect` with its time to settle") },
    )
    .describe("how it is known that the device follows"),
  writePolicy: z
    .strictObject({
      cyclic: z
        .enum(["ok", "no", "unknown"])
        .default("unknown")
        .describe("may the registers be written again and again, or do they wear out a memory"),
      minIntervalS: z.number().min(0).max(86_400).optional(),
      maxPerDay: z.int().min(1).max(1_000_000).optional(),
      deadbandKW: z.number().min(0).max(1000).optional().describe("a change smaller than this is not written"),
    })
    .prefault({}),
  ramp: z.strictObject({ rateKWPerMin: z.number().positive() }).optional().describe("how fast its power may grow"),
  source: name.optional(),
  uncertain: z.string().min(1).max(400).optional(),
});

export type ControlSpec = z.output<typeof controlSchema>;
export type WriteSpec = z.output<typeof write>;
export type StepSpec = z.output<typeof step>;
export type FixedStep = z.output<typeof fixedStep>;
export type PlainValue = z.output<typeof plainValue>;
export type ValueSpec = z.output<typeof value>;

/** All writes of a step, as one list. */
export function writesOf<W extends { readonly point: string }>(
  one: W | { readonly atomic: readonly W[] },
): readonly W[] {
  return "atomic" in one ? one.atomic : [one];
}
