import { z } from "zod";
import { instantMs, present, RECURRENCE_MS, timestamp } from "../link/wire-time.ts";
import type { ChargingProfile, ProfilePurpose, SchedulePeriod } from "../profiles/charging-profile.ts";
import { type Refusal, refuse } from "../profiles/refusal.ts";

const Purpose = z.enum([
  "ChargingStationExternalConstraints",
  "ChargingStationMaxProfile",
  "TxDefaultProfile",
  "TxProfile",
  "PriorityCharging",
  "LocalGeneration",
]);

/** The values of 2.1 that give each conductor its own. */
const PerPhase = z.object({
  limit_L2: z.number().optional(),
  limit_L3: z.number().optional(),
  dischargeLimit_L2: z.number().optional(),
  dischargeLimit_L3: z.number().optional(),
  setpoint_L2: z.number().optional(),
  setpoint_L3: z.number().optional(),
  setpointReactive: z.number().optional(),
  setpointReactive_L2: z.number().optional(),
  setpointReactive_L3: z.number().optional(),
});

/** `ChargingScheduleUpdateType` of 2.1. */
export const ScheduleUpdate = PerPhase.extend({
  limit: z.number().optional(),
  dischargeLimit: z.number().optional(),
  setpoint: z.number().optional(),
});

const Period = ScheduleUpdate.extend({
  startPeriod: z.number(),
  numberPhases: z.number().optional(),
  phaseToUse: z.number().optional(),
  operationMode: z
    .enum([
      "Idle",
      "ChargingOnly",
      "CentralSetpoint",
      "ExternalSetpoint",
      "ExternalLimits",
      "CentralFrequency",
      "LocalFrequency",
      "LocalLoadBalancing",
    ])
    .optional(),
  evseSleep: z.boolean().optional(),
});

const Schedule = z.object({
  duration: z.number().optional(),
  startSchedule: z.string().optional(),
  chargingRateUnit: z.enum(["A", "W"]),
  useLocalTime: z.boolean().optional(),
  randomizedDelay: z.number().optional(),
  limitAtSoC: z.unknown().optional(),
  chargingSchedulePeriod: z.array(Period),
});

/** `ChargingProfileType` of 2.0.1 and 2.1; what only one of them has has been sorted out by its schema. */
export const ChargingProfile2 = z.object({
  id: z.number(),
  transactionId: z.string().optional(),
  stackLevel: z.number(),
  chargingProfilePurpose: Purpose,
  chargingProfileKind: z.enum(["Absolute", "Recurring", "Relative", "Dynamic"]),
  recurrencyKind: z.enum(["Daily", "Weekly"]).optional(),
  validFrom: z.string().optional(),
  validTo: z.string().optional(),
  maxOfflineDuration: z.number().optional(),
  invalidAfterOfflineDuration: z.boolean().optional(),
  dynUpdateInterval: z.number().optional(),
  dynUpdateTime: z.string().optional(),
  chargingSchedule: z.array(Schedule),
});

type WireProfile = z.infer<typeof ChargingProfile2>;

const PURPOSES: Readonly<Partial<Record<z.infer<typeof Purpose>, ProfilePurpose>>> = {
  ChargingStationMaxProfile: "max",
  TxDefaultProfile: "tx-default",
  TxProfile: "tx",
};

/** Nothing for a purpose of which this charger holds no profile. */
export function purpose2(purpose: z.infer<typeof Purpose>): ProfilePurpose | undefined {
  return PURPOSES[purpose];
}

/** The profile, or why a CSMS may not send it at all. */
export function profileFrom2(evseId: number, wire: WireProfile): { profile: ChargingProfile } | { refusal: Refusal } {
  const purpose = purpose2(wire.chargingProfilePurpose);
  if (purpose === undefined) return { refusal: refusePurpose(wire) };
  const [schedule, ...others] = wire.chargingSchedule;
  if (schedule === undefined || others.length > 0) {
    return { refusal: refuse("InvalidSchedule", "several schedules are for ISO 15118 only, send one") };
  }
  const refusal = refuseExtras(wire, schedule);
  if (refusal !== undefined) return { refusal };
  return {
    profile: {
      id: wire.id,
      connectorId: evseId,
      purpose,
      stackLevel: wire.stackLevel,
      kind: wire.chargingProfileKind,
      ...presentAs("recurrenceMs", wire.recurrencyKind, (kind) => RECURRENCE_MS[kind]),
      ...present("transactionId", wire.transactionId),
      ...presentAs("validFromMs", wire.validFrom, instantMs),
      ...presentAs("validToMs", wire.validTo, instantMs),
      ...presentAs("startScheduleMs", schedule.startSchedule, instantMs),
      ...presentAs("durationMs", schedule.duration, inMs),
      ...presentAs("pullIntervalMs", wire.dynUpdateInterval, inMs),
      ...presentAs("maxOfflineMs", wire.maxOfflineDuration, inMs),
      ...present("endsOffline", wire.invalidAfterOfflineDuration),
      unit: schedule.chargingRateUnit,
      periods: schedule.chargingSchedulePeriod.map(periodFrom),
    },
  };
}

function periodFrom(period: z.infer<typeof Period>): SchedulePeriod {
  return {
    startMs: period.startPeriod * 1000,
    ...present("limit", period.limit),
    ...present("dischargeLimit", period.dischargeLimit),
    ...present("setpoint", period.setpoint),
    ...present("phases", period.numberPhases),
    ...present("phaseToUse", period.phaseToUse),
    ...present("mode", period.operationMode),
  };
}

/** The same profile as it would go over the wire: for reports. */
export function wireProfile2(profile: ChargingProfile): Record<string, unknown> {
  const { recurrenceMs } = profile;
  return {
    id: profile.id,
    stackLevel: profile.stackLevel,
    chargingProfilePurpose: Purpose.options.find((name) => PURPOSES[name] === profile.purpose),
    chargingProfileKind: profile.kind,
    ...presentAs("recurrencyKind", recurrenceMs, (ms) => (ms === RECURRENCE_MS.Daily ? "Daily" : "Weekly")),
    ...present("transactionId", profile.transactionId),
    ...presentAs("validFrom", profile.validFromMs, timestamp),
    ...presentAs("validTo", profile.validToMs, timestamp),
    ...presentAs("dynUpdateInterval", profile.pullIntervalMs, inSeconds),
    ...(profile.kind === "Dynamic" ? presentAs("dynUpdateTime", profile.updatedAtMs, timestamp) : {}),
    ...presentAs("maxOfflineDuration", profile.maxOfflineMs, inSeconds),
    ...present("invalidAfterOfflineDuration", profile.endsOffline),
    chargingSchedule: [
      {
        id: 1,
        ...presentAs("startSchedule", profile.startScheduleMs, timestamp),
        ...presentAs("duration", profile.durationMs, inSeconds),
        chargingRateUnit: profile.unit,
        chargingSchedulePeriod: profile.periods.map((period) => ({
          startPeriod: inSeconds(period.startMs),
          ...present("limit", period.limit),
          ...present("dischargeLimit", period.dischargeLimit),
          ...present("setpoint", period.setpoint),
          ...present("numberPhases", period.phases),
          ...present("phaseToUse", period.phaseToUse),
          ...present("operationMode", period.mode),
        })),
      },
    ],
  };
}

function refusePurpose({ chargingProfilePurpose }: WireProfile): Refusal {
  return chargingProfilePurpose === "ChargingStationExternalConstraints"
    ? refuse("InvalidProfile", "external constraints are not for a CSMS to set")
    : refuse("UnsupportedPurpose", `this charger holds no ${chargingProfilePurpose} profiles`);
}

/** Options of 2.1 that a charger need not have, and this one has not (K01.FR.122 to K01.FR.126). */
function refuseExtras(wire: WireProfile, schedule: z.infer<typeof Schedule>): Refusal | undefined {
  const dynamic = wire.dynUpdateInterval !== undefined || wire.dynUpdateTime !== undefined;
  if (dynamic && wire.chargingProfileKind !== "Dynamic") {
    return refuse("InvalidProfile", "dynUpdateInterval and dynUpdateTime go with Dynamic only");
  }
  if (schedule.useLocalTime === true) return refuse("InvalidSchedule", "useLocalTime is not supported");
  if ((schedule.randomizedDelay ?? 0) > 0) return refuse("InvalidSchedule", "randomizedDelay is not supported");
  if (schedule.limitAtSoC !== undefined) return refuse("InvalidSchedule", "limitAtSoC is not supported");
  for (const period of schedule.chargingSchedulePeriod) {
    if (period.evseSleep === true) return refuse("InvalidSchedule", "evseSleep is not supported");
    const refusal = refusePerPhase(period);
    if (refusal !== undefined) return refusal;
  }
  return undefined;
}

/** Power is the same on all conductors here. */
export function refusePerPhase(values: z.infer<typeof PerPhase>): Refusal | undefined {
  const named = Object.keys(PerPhase.shape).find((name) => Object.hasOwn(values, name));
  return named === undefined ? undefined : refuse("UnsupportedParam", `${named} is not supported`);
}

function presentAs<Key extends string, From, To>(
  key: Key,
  value: From | undefined,
  as: (value: From) => To,
): { [K in Key]?: To } {
  return present(key, value === undefined ? undefined : as(value));
}

const inMs = (seconds: number) => seconds * 1000;
const inSeconds = (ms: number) => Math.round(ms / 1000);
