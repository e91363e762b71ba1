import type { JsonRecord } from "../link/json.ts";
import { timestampFrom } from "../link/timestamp.ts";
import type { WireLimit } from "./import-limit.ts";

/** `MaxProfile` is ChargePointMaxProfile in 1.6 and ChargingStationMaxProfile in 2.x. */
export type ProfilePurpose = "TxProfile" | "TxDefaultProfile" | "MaxProfile";

export type ProfileKind = "Absolute" | "Relative";

/** A charging profile before it is written in one version's form. All times are by the charger's own clock, epoch ms. */
export interface Profile {
  readonly id: number;
  /** Connector of 1.6, EVSE of 2.x; 0 for the whole station. */
  readonly connector: number;
  readonly purpose: ProfilePurpose;
  readonly kind: ProfileKind;
  readonly stackLevel: number;
  readonly transactionId?: number | string;
  readonly limit: WireLimit;
  /** Lines that may be used; absent for direct current, which has none (a 2.x station refuses it there). */
  readonly phases?: number;
  /** Which line carries the power where only one does (2.x). */
  readonly phaseToUse?: number;
  readonly nowMs: number;
  /** The end; absent for a profile that stays. */
  readonly untilMs?: number;
  /** When the transaction began, from which a relative schedule counts; absent where nobody knows. */
  readonly transactionSinceMs?: number;
  /** True where the charger's clock does not run as a clock does, so that no time of day can be told to it. */
  readonly clockless?: boolean;
  /** What the same profile says after its end, where no other profile can lie under it. */
  readonly afterwards?: WireLimit;
}

/** A schedule that starts now would wait where the charger's clock is slow, so it starts a little earlier. */
const SLOW_CLOCK_MS = 60_000;

export type ProfileRole = "command" | "session" | "fallback";

/**
 * Our own ids, the same over restarts, so that a profile left by an earlier run is replaced and can be cleared.
 * Connector 0 is the whole station.
 * - `command`: the target, as a default for any transaction, or as the most of the whole station
 * - `session`: the target, for the transaction that runs
 * - `fallback`: what holds when no target does
 */
export function profileId(connector: number, role: ProfileRole): number {
  return 7000 + connector * 10 + { command: 1, session: 2, fallback: 3 }[role];
}

/** True for an id of ours, on whichever connector of a station. */
export function isOurProfileId(id: number): boolean {
  return id > 7000 && id < 8000 && id % 10 >= 1 && id % 10 <= 3;
}

/** What one version calls the most of a whole station. */
export type MaxPurpose = "ChargePointMaxProfile" | "ChargingStationMaxProfile";

/** Epoch seconds at which a schedule is written to begin that is to hold now. */
export function scheduleStartS(nowMs: number): number {
  return Math.floor((nowMs - SLOW_CLOCK_MS) / 1000);
}

/** The parts of a profile that both versions write alike; the schedule goes in as an object (1.6) or in a list (2.x). */
export function profileFields(
  profile: Profile,
  maxPurpose: MaxPurpose = "ChargePointMaxProfile",
): { readonly head: JsonRecord; readonly schedule: JsonRecord } {
  const { untilMs, afterwards } = profile;
  const absolute = profile.kind === "Absolute";
  // From here the schedule counts its seconds; a relative one from the start of the transaction.
  const originMs = absolute ? profile.nowMs - SLOW_CLOCK_MS : profile.transactionSinceMs;
  const originS = originMs === undefined ? undefined : Math.floor(originMs / 1000);
  const endS = untilMs === undefined ? undefined : Math.ceil(untilMs / 1000);
  const lengthS = endS === undefined ? undefined : lengthOf(profile, originS, endS);
  const follows = afterwards !== undefined && lengthS !== undefined;
  const periods = [period(0, profile.limit, profile)];
  if (follows) periods.push(period(lengthS, afterwards, profile));
  const ends = endS !== undefined && !follows;
  // Where the clock is none, validTo would end the profile at once or never.
  const validTo = ends && (absolute || profile.clockless !== true || lengthS === undefined);
  return {
    head: {
      stackLevel: profile.stackLevel,
      chargingProfilePurpose: profile.purpose === "MaxProfile" ? maxPurpose : profile.purpose,
      chargingProfileKind: profile.kind,
      ...(profile.purpose === "TxProfile" && profile.transactionId !== undefined
        ? { transactionId: profile.transactionId }
        : {}),
      ...(validTo ? { validTo: timestampFrom(endS * 1000) } : {}),
    },
    schedule: {
      ...(absolute && originS !== undefined ? { startSchedule: timestampFrom(originS * 1000) } : {}),
      ...(ends && lengthS !== undefined ? { duration: lengthS } : {}),
      chargingRateUnit: profile.limit.unit,
      chargingSchedulePeriod: periods,
    },
  };
}

/**
 * Seconds from the origin to the end. A relative schedule whose origin nobody knows has none, since a length that is too short
 * would end it before it began, save where no transaction runs: then its origin is still to come, and the time that is left
 * bounds it by the charger's own stopwatch where it has no clock.
 */
function lengthOf(profile: Profile, originS: number | undefined, endS: number): number | undefined {
  if (originS !== undefined) return Math.max(1, endS - originS);
  if (profile.clockless !== true || profile.transactionId !== undefined) return undefined;
  return Math.max(1, endS - Math.floor(profile.nowMs / 1000));
}

function period(startPeriod: number, limit: WireLimit, { phases, phaseToUse }: Profile): JsonRecord {
  return {
    startPeriod,
    limit: limit.value,
    ...(phases === undefined ? {} : { numberPhases: phases }),
    ...(phases === 1 && phaseToUse !== undefined ? { phaseToUse } : {}),
  };
}
