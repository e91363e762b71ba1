import { z } from "zod";
import { missing, name, sources } from "./profile-words.ts";

const WORDS = ["power", "consumption", "generation", "magnitude", "reversion"] as const;

/**
 * What a write puts in: a number in the point's own unit, true or false, or a word. `power` is the target with the point's
 * sign, `consumption` and `generation` are what of it goes that way (0 else), `magnitude` has no sign; `reversion` is the
 * armed time, s.
 */
const valueSchema = () =>
  z.union([
    z.number(),
    z.boolean(),
    z.enum(WORDS, `must be a number in the point's unit, true, false, or one of ${WORDS.join(", ")}`),
  ]);

const writeSchema = () =>
  z.strictObject({
    point: name,
    value: valueSchema(),
    when: z.enum(["consumption", "generation", "zero"]).optional().describe("only for such a target"),
    onlyIfChanged: z.boolean().default(false).describe("spares a resource that shows the value already"),
  });

const atomicSchema = () =>
  z
    .strictObject({ atomic: z.array(writeSchema()).min(2).max(40) })
    .describe("points of one resource that go out in one request");

const stepSchema = () => z.union([writeSchema(), atomicSchema()]);

export const controlSchema = () =>
  z.strictObject({
    kind: z
      .enum(["setpoint", "limit"], {
        error: missing("setpoint (the device holds the power) or limit (it may do less)"),
      })
      .describe("setpoint: the device holds the power. limit: it may do less"),
    needs: z.array(name).max(8).default([]).describe("points that must be there, else the next control is tried"),
    failsafe: z.enum(["device", "vendor", "gateway-only", "none"], {
      error: missing("what the device does when the gateway dies: device, vendor, gateway-only or none"),
    }),
    failsafeNote: z.string().max(400).optional().describe("what a technician has to set up, or to know"),
    convert: z.strictObject(
      {
        to: z.enum(["watts", "percentOf"], { error: missing("watts or percentOf") }),
        base: sources.optional().describe("W that are 100 %, for percentOf"),
        step: z
          .number()
          .positive()
          .default(1)
          .describe("smallest step in W or %; rounded towards 0, so that no order is ever exceeded"),
      },
      { error: missing("how kW become the device's own quantity") },
    ),
    limits: z
      .strictObject(
        {
          generation: sources.optional().describe("greatest generation in W or %; absent: none"),
          consumption: sources.optional().describe("greatest consumption in W or %; absent: none"),
          least: sources.optional().describe("least magnitude that the device takes; below it the order becomes 0"),
        },
        { error: missing("how far the device goes: generation, consumption, or both") },
      )
      .describe("in W or %, as `convert` says"),
    sequence: z
      .array(stepSchema())
      .min(1, "needs at least one write")
      .max(40)
      .describe("in this order; it ends at the first fault"),
    release: z.union(
      [
        z.literal("baseline"),
        z.strictObject({ writes: z.array(stepSchema()).min(1, "needs at least one write").max(40) }),
      ],
      { error: missing("`baseline` (what the points held before the first write), or `writes`") },
    ),
    reversion: z
      .strictObject({
        seconds: z.number().min(1).max(86_400).describe("time after which the device falls back by itself"),
        least: z.number().min(1).max(3600).default(1).describe("shortest time that the device takes, s"),
      })
      .optional()
      .describe("the order carries a time of the device's own, and is given again within a third of it"),
    heartbeat: z
      .strictObject({ everyS: z.number().min(0.5).max(3600), mode: z.literal("rewrite") })
      .optional()
      .describe("the whole sequence again, for a device that falls back when it hears nothing"),
    verify: z
      .strictObject(
        {
          readback: z
            .boolean({ error: missing("true, or false where the device does not show what is in force") })
            .describe("read the written points and compare"),
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
          .describe("may the resources be written again and again, or do they wear out a memory"),
        minIntervalS: z.number().min(0).max(86_400).optional(),
        maxPerDay: z.int().min(1).max(1_000_000).optional().describe("writes of one resource in one day (UTC)"),
        deadbandKW: z.number().min(0).max(1000).optional().describe("a change smaller than this is not written"),
      })
      .prefault({})
      .describe("what the device's memory bears; unless cyclic is ok, a bound is needed"),
    source: name.optional(),
    uncertain: z.string().min(1).max(400).optional(),
  });

export type ControlSpec = z.output<ReturnType<typeof controlSchema>>;
export type WriteSpec = z.output<ReturnType<typeof writeSchema>>;
export type StepSpec = z.output<ReturnType<typeof stepSchema>>;

/** How often the whole sequence is written again, s, whether or not the device still holds it; undefined for never. */
export function armingS({ heartbeat, reversion }: Pick<ControlSpec, "heartbeat" | "reversion">): number | undefined {
  if (heartbeat !== undefined) return heartbeat.everyS;
  // Within a third, so that two attempts may be lost.
  return reversion === undefined ? undefined : Math.max(reversion.seconds / 3 - 1, 0.5);
}

/** All writes of a step, as one list. */
export function writesOf(one: StepSpec): readonly WriteSpec[] {
  return "atomic" in one ? one.atomic : [one];
}
