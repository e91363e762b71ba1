import type { JsonRecord } from "../link/json.ts";
import { timestampFrom } from "../link/timestamp.ts";
import type { WireLimit } from "./import-limit.ts";

export type ProfilePurpose = "TxProfile" | "TxDefaultProfile";

type ProfileKind = "Absolute" | "Relative";

/** A charging profile before it is written in one version's form. */
export interface Profile {
  readonly id: number;
  /** Connector of 1.6, EVSE of 2.0.1. */
  readonly connector: number;
  readonly purpose: ProfilePurpose;
  readonly kind: ProfileKind;
  readonly stackLevel: number;
  readonly transactionId?: number | string;
  readonly limit: WireLimit;
  readonly phases: number;
  /** Wall time now. */
  readonly nowMs: number;
  /** Wall time of the end; absent for a profile that stays. */
  readonly untilMs?: number;
  /** What the same profile says after its end, where no other profile can lie under it. */
  readonly afterwards?: WireLimit;
}

/** A schedule that starts now would wait where the charger's clock is slow, so it starts a little earlier. */
const SLOW_CLOCK_MS = 60_000;

/**
 * Our own ids, the same over restarts, so that a profile left by an earlier run is replaced and can be cleared.
 * - `command`: the target, as a default for any transaction
 * - `session`: the target, for the transaction that runs
 * - `fallback`: what holds when no target does
 */
export function profileId(connector: number, role: "command" | "session" | "fallback"): number {
  return 7000 + connector * 10 + { command: 1, session: 2, fallback: 3 }[role];
}

/** Epoch seconds at which a schedule is written to begin that is to hold now. */
export function scheduleStartS(nowMs: number): number {
  return Math.floor((nowMs - SLOW_CLOCK_MS) / 1000);
}

/** The parts of a profile that both versions write alike; the schedule goes in as an object (1.6) or in a list (2.0.1). */
export function profileFields(profile: Profile): { readonly head: JsonRecord; readonly schedule: JsonRecord } {
  const { kind, untilMs, afterwards } = profile;
  const absolute = kind === "Absolute";
  const startS = scheduleStartS(profile.nowMs);
  const endS = untilMs === undefined ? undefined : Math.ceil(untilMs / 1000);
  // A relative schedule counts from the start of the transaction, which may be long ago: only validTo can end it, and
  // nothing can come after it.
  const follows = absolute && afterwards !== undefined && endS !== undefined;
  const periods = [period(0, profile.limit, profile.phases)];
  if (follows) periods.push(period(endS - startS, afterwards, profile.phases));
  const ends = endS !== undefined && !follows;
  return {
    head: {
      stackLevel: profile.stackLevel,
      chargingProfilePurpose: profile.purpose,
      chargingProfileKind: kind,
      ...(profile.purpose === "TxProfile" && profile.transactionId !== undefined
        ? { transactionId: profile.transactionId }
        : {}),
      ...(ends ? { validTo: timestampFrom(endS * 1000) } : {}),
    },
    schedule: {
      ...(absolute ? { startSchedule: timestampFrom(startS * 1000) } : {}),
      ...(absolute && ends ? { duration: endS - startS } : {}),
      chargingRateUnit: profile.limit.unit,
      chargingSchedulePeriod: periods,
    },
  };
}

function period(startPeriod: number, limit: WireLimit, numberPhases: number): JsonRecord {
  return { startPeriod, limit: limit.value, numberPhases };
}
