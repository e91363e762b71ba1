import { z } from "zod";
import { instantMs, present, RECURRENCE_MS } from "../link/wire-time.ts";
import type { ChargingProfile, ProfilePurpose } from "../profiles/charging-profile.ts";
import type { Refusal } from "../profiles/profile-rules.ts";

const Purpose = z.enum([
  "ChargingStationExternalConstraints",
  "ChargingStationMaxProfile",
  "TxDefaultProfile",
  "TxProfile",
]);

/** `ChargingProfileType` of 2.0.1. */
export const ChargingProfile201 = z.object({
  id: z.number(),
  transactionId: z.string().optional(),
  stackLevel: z.number(),
  chargingProfilePurpose: Purpose,
  chargingProfileKind: z.enum(["Absolute", "Recurring", "Relative"]),
  recurrencyKind: z.enum(["Daily", "Weekly"]).optional(),
  validFrom: z.string().optional(),
  validTo: z.string().optional(),
  chargingSchedule: z.array(
    z.object({
      duration: z.number().optional(),
      startSchedule: z.string().optional(),
      chargingRateUnit: z.enum(["A", "W"]),
      chargingSchedulePeriod: z.array(
        z.object({ startPeriod: z.number(), limit: z.number(), numberPhases: z.number().optional() }),
      ),
    }),
  ),
});

/** Nothing for the purpose that only the site's own controller may set. */
export function purpose201(purpose: z.infer<typeof Purpose>): ProfilePurpose | undefined {
  switch (purpose) {
    case "ChargingStationMaxProfile":
      return "max";
    case "TxDefaultProfile":
      return "tx-default";
    case "TxProfile":
      return "tx";
    case "ChargingStationExternalConstraints":
      return undefined;
  }
}

/** The profile, or why a CSMS may not send it at all. */
export function profileFrom201(
  evseId: number,
  wire: z.infer<typeof ChargingProfile201>,
): { profile: ChargingProfile } | { refusal: Refusal } {
  const purpose = purpose201(wire.chargingProfilePurpose);
  if (purpose === undefined) {
    return { refusal: { code: "InvalidProfile", text: "external constraints are not for a CSMS to set" } };
  }
  const [schedule, ...others] = wire.chargingSchedule;
  if (schedule === undefined || others.length > 0) {
    return { refusal: { code: "InvalidSchedule", text: "several schedules are for ISO 15118 only, send one" } };
  }
  const optional = <T, U>(value: T | undefined, of: (value: T) => U) => (value === undefined ? undefined : of(value));
  return {
    profile: {
      id: wire.id,
      connectorId: evseId,
      purpose,
      stackLevel: wire.stackLevel,
      kind: wire.chargingProfileKind,
      ...present(
        "recurrenceMs",
        optional(wire.recurrencyKind, (kind) => RECURRENCE_MS[kind]),
      ),
      ...present("transactionId", wire.transactionId),
      ...present("validFromMs", optional(wire.validFrom, instantMs)),
      ...present("validToMs", optional(wire.validTo, instantMs)),
      ...present("startScheduleMs", optional(schedule.startSchedule, instantMs)),
      ...present(
        "durationMs",
        optional(schedule.duration, (seconds) => seconds * 1000),
      ),
      unit: schedule.chargingRateUnit,
      periods: schedule.chargingSchedulePeriod.map((period) => ({
        startMs: period.startPeriod * 1000,
        limit: period.limit,
        ...present("phases", period.numberPhases),
      })),
    },
  };
}
