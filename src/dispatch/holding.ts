import type { Acceptance } from "../model/adapter.ts";
import type { Limit } from "../model/limit.ts";
import type { Capability } from "../model/resource.ts";
import type { Setpoint } from "../model/setpoint.ts";
import type { Judgement } from "../model/verdict.ts";
import type { Correction } from "./correction.ts";
import { type Finding, Verification } from "./verification.ts";

/** How long a device may take and how often it measures, ms, while it has not said so. */
const UNKNOWN_MS = 10_000;

/** The setpoint that a device is to hold now, and how far it has got. */
export interface Holding {
  readonly setpoint: Setpoint;
  targetKW: number;
  boundBy: Limit | undefined;
  acceptance?: Acceptance;
  /** The target that the device accepted; another one must be sent. */
  acceptedTargetKW?: number;
  verification?: Verification;
  /** The one corrective re-send, once it was decided on. */
  correction?: Correction;
  refusal?: string;
  lastError?: string;
  attempts: number;
  retryAtMs: number;
}

/**
 * The test by the meter that begins when a device has accepted its target.
 * @param at.again true for the corrective re-send of what is under test already
 */
export function verificationOf(
  holding: Holding,
  acceptance: Acceptance,
  capability: Capability | undefined,
  at: { readonly acceptedAtMs: number; readonly startKW: number | undefined; readonly again: boolean },
): Verification {
  const leastKW = capability?.minRunKW ?? 0;
  const isBelowLeast = Math.abs(holding.targetKW) < leastKW;
  // The same trial once more: what counts is where the device stood before the first command.
  const before = at.again ? holding.verification : undefined;
  const startKW = before === undefined ? at.startKW : before.trial.startKW;
  const shortfallReason = holding.boundBy
    ? `the ${holding.boundBy.source} limit allows ${holding.targetKW.toFixed(2)} kW`
    : `the device was told ${acceptance.appliedKW.toFixed(2)} kW, the nearest it can do${isBelowLeast ? `: it runs from ${leastKW.toFixed(2)} kW on` : ""}`;
  return new Verification({
    orderedKW: holding.setpoint.powerKW,
    appliedKW: acceptance.appliedKW,
    control: capability?.control ?? "setpoint",
    acceptedAtMs: at.acceptedAtMs,
    settleMs: capability?.settleMs ?? UNKNOWN_MS,
    sampleMs: capability?.sampleMs ?? UNKNOWN_MS,
    shortfallReason,
    ...(startKW === undefined ? {} : { startKW }),
    ...(before?.wasEffective ? { followedBefore: true } : {}),
  });
}

/**
 * The last word on a setpoint that no longer holds; absent if it was spoken already, by a refusal.
 * @param nowMs elapsed ms
 */
export function lastFinding(
  holding: Holding,
  cause: "superseded" | "expired",
  hasConnected: boolean,
  nowMs: number,
): Finding | undefined {
  if (holding.refusal !== undefined) return undefined;
  const { verification, correction } = holding;
  if (correction !== undefined && verification?.finding === undefined) return correction.finding;
  if (verification !== undefined) return verification.close(nowMs, cause);
  return holding.attempts > 0 || (cause === "expired" && !hasConnected)
    ? { verdict: "unreachable", reason: holding.lastError ?? "the device never connected", samples: 0 }
    : { verdict: cause, reason: "the device had not accepted it yet", samples: 0 };
}

/** A finding as it is told and stored. @param atMs wall time, epoch ms */
export function judgementOf(
  setpoint: Setpoint,
  finding: Finding,
  told: { readonly atMs: number; readonly final: boolean; readonly acceptance?: Acceptance | undefined },
): Judgement {
  const { verdict, reason, samples, measuredKW } = finding;
  return {
    setpointId: setpoint.id,
    era: setpoint.era,
    verdict,
    reason,
    orderedKW: setpoint.powerKW,
    samples,
    atMs: told.atMs,
    final: told.final,
    ...(told.acceptance && { appliedKW: told.acceptance.appliedKW }),
    ...(measuredKW !== undefined && { measuredKW }),
  };
}
