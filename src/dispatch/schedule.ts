import type { Setpoint } from "../model/setpoint.ts";

/** Setpoints that one resource may have ahead of it; the ones that end last are dropped beyond this. */
export const MAX_SCHEDULED = 500;

/** The setpoint that holds at a time: of those whose window contains it, the one that was received last. */
export function activeAt(setpoints: readonly Setpoint[], nowMs: number): Setpoint | undefined {
  let active: Setpoint | undefined;
  for (const setpoint of setpoints) {
    if (setpoint.validFromMs > nowMs || setpoint.validUntilMs <= nowMs) continue;
    // Equal times keep the order of arrival: the later in the list wins.
    if (active === undefined || setpoint.receivedAtMs >= active.receivedAtMs) active = setpoint;
  }
  return active;
}

/** Setpoints that have ended by a time, and those that have not. */
export function splitEnded(
  setpoints: readonly Setpoint[],
  nowMs: number,
): { ended: readonly Setpoint[]; open: readonly Setpoint[] } {
  return {
    ended: setpoints.filter((setpoint) => setpoint.validUntilMs <= nowMs),
    open: setpoints.filter((setpoint) => setpoint.validUntilMs > nowMs),
  };
}

/**
 * Setpoints that can never hold again because a newer one covers all that is left of their window.
 * They are superseded even if their time has not come.
 */
export function superseded(setpoints: readonly Setpoint[], nowMs: number): readonly Setpoint[] {
  return setpoints.filter((old, index) =>
    setpoints.some(
      (newer, newerIndex) =>
        newerIndex > index &&
        newer.receivedAtMs >= old.receivedAtMs &&
        newer.validFromMs <= Math.max(old.validFromMs, nowMs) &&
        newer.validUntilMs >= old.validUntilMs,
    ),
  );
}
