import { z } from "zod";
import { instantMs, present, RECURRENCE_MS } from "../link/wire-time.ts";
import type { ChargingProfile, ProfilePurpose } from "../profiles/charging-profile.ts";

const Purpose = z.enum(["ChargePointMaxProfile", "TxDefaultProfile", "TxProfile"]);

const PURPOSES: Record<z.infer<typeof Purpose>, ProfilePurpose> = {
  ChargePointMaxProfile: "max",
  TxDefaultProfile: "tx-default",
  TxProfile: "tx",
};

/** The `csChargingProfiles` of 1.6. */
export const ChargingProfile16 = z.object({
  chargingProfileId: z.number(),
  transactionId: z.number().optional(),
  stackLevel: z.number(),
  chargingProfilePurpose: Purpose,
  chargingProfileKind: z.enum(["Absolute", "Recurring", "Relative"]),
  recurrencyKind: z.enum(["Daily", "Weekly"]).optional(),
  validFrom: z.string().optional(),
  validTo: z.string().optional(),
  chargingSchedule: z.object({
    duration: z.number().optional(),
    startSchedule: z.string().optional(),
    chargingRateUnit: z.enum(["A", "W"]),
    chargingSchedulePeriod: z.array(
      z.object({ startPeriod: z.number(), limit: z.number(), numberPhases: z.number().optional() }),
    ),
  }),
});

export function purpose16(purpose: z.infer<typeof Purpose>): ProfilePurpose {
  return PURPOSES[purpose];
}

export function profileFrom16(connectorId: number, wire: z.infer<typeof ChargingProfile16>): ChargingProfile {
  const schedule = wire.chargingSchedule;
  const optional = <T, U>(value: T | undefined, of: (value: T) => U) => (value === undefined ? undefined : of(value));
  return {
    id: wire.chargingProfileId,
    connectorId,
    purpose: PURPOSES[wire.chargingProfilePurpose],
    stackLevel: wire.stackLevel,
    kind: wire.chargingProfileKind,
    ...present(
      "recurrenceMs",
      optional(wire.recurrencyKind, (kind) => RECURRENCE_MS[kind]),
    ),
    ...present("transactionId", optional(wire.transactionId, String)),
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
  };
}
