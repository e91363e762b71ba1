import { type Clock, withDeadline } from "../clock.ts";
import type { Adapter, Evidence } from "../model/adapter.ts";
import type { Availability } from "../model/reading.ts";
import type { Finding } from "./verification.ts";

/** A device that is slow to explain itself does not hold up the correction. */
const PROBE_MS = 15_000;

/** The one corrective re-send of a setpoint: what led to it, and what came of it. */
export interface Correction {
  /** What the meter showed when it was decided on. */
  readonly finding: Finding;
  /** What the device said of itself; absent if it could not say. */
  evidence?: Evidence;
  /** The command that went out again, in the protocol's own terms. */
  command?: string;
  /** Why it did not get through. */
  failure?: string;
}

/**
 * Whether a finding calls for the one corrective re-send: the device accepted, and does something else. A device that can do
 * nothing just now (no car, no sun) has no fault that could be corrected.
 */
export function callsForCorrection(
  finding: Finding,
  correction: Correction | undefined,
  availability: Availability | undefined,
): boolean {
  if (finding.deviates !== true || correction !== undefined) return false;
  const room = availability ?? { minPowerKW: -1, maxPowerKW: 1 };
  return room.minPowerKW < 0 || room.maxPowerKW > 0;
}

/** Asks the device what it thinks it is doing; nothing where it can't or won't say. */
export async function askDevice(adapter: Adapter, clock: Clock, signal: AbortSignal): Promise<Evidence | undefined> {
  if (adapter.probe === undefined) return undefined;
  try {
    return await withDeadline(clock, PROBE_MS, signal, async (within) => adapter.probe?.(within));
  } catch {
    signal.throwIfAborted();
    return undefined;
  }
}

/** The finding with what was tried and what the device said, for the technician who reads the verdict. */
export function explained(finding: Finding, correction: Correction | undefined): Finding {
  if (correction === undefined) return finding;
  const { evidence, command, failure } = correction;
  const parts = [finding.reason];
  if (evidence !== undefined) parts.push(evidence.text);
  if (command !== undefined) parts.push(`sent again: ${command}`);
  if (failure !== undefined) parts.push(`sent again in vain: ${failure}`);
  return { ...finding, reason: parts.join("; ") };
}
