import type { Setpoint } from "../model/setpoint.ts";
import { activeAt } from "./schedule.ts";

/** A stretch of time in which one setpoint is to hold. */
export interface Upcoming {
  readonly setpoint: Setpoint;
  /** Wall time, epoch ms. */
  readonly fromMs: number;
  /** Wall time, epoch ms, exclusive. */
  readonly untilMs: number;
}

/** Stretches that are looked at: a day of half hours. It is looked at several times a second, for each device. */
const MOST_UPCOMING = 48;

/**
 * What will hold after what holds now, in order and without overlap. One setpoint makes one stretch: what a newer one
 * replaces does not come back after it.
 */
export function upcoming(setpoints: readonly Setpoint[], nowMs: number): readonly Upcoming[] {
  const edges = new Set(setpoints.flatMap(({ validFromMs, validUntilMs }) => [validFromMs, validUntilMs]));
  const later = [...edges].filter((edgeMs) => edgeMs > nowMs).sort((a, b) => a - b);
  const found: { setpoint: Setpoint; fromMs: number; untilMs: number }[] = [];
  let left = setpoints;
  let held = activeAt(left, nowMs);
  for (const edgeMs of later) {
    const active = activeAt(left, edgeMs);
    if (active === held) continue;
    const last = found.at(-1);
    if (last !== undefined && last.setpoint === held) last.untilMs = Math.min(last.untilMs, edgeMs);
    if (active !== undefined) {
      if (found.length >= MOST_UPCOMING) break;
      found.push({ setpoint: active, fromMs: edgeMs, untilMs: active.validUntilMs });
    }
    const replaced = held;
    left = left.filter((setpoint) => setpoint !== replaced);
    held = active;
  }
  return found;
}
