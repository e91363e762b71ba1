import type { Adapter, PlannedTarget } from "../model/adapter.ts";
import type { Clamped } from "../model/limit.ts";
import type { Holding } from "./holding.ts";
import type { Upcoming } from "./upcoming.ts";

/** Powers that differ by less are the same, kW. */
const NOTHING_KW = 1e-6;
/**
 * Step of a power that a limit bounds, kW. Limits move with every reading of a neighbour, and each change is a new control
 * that the device has to fetch.
 */
const BOUND_STEP_KW = 0.5;

/** What one device was told ahead. It is told anew only when it changes. */
export class DevicePlan {
  readonly #adapter: Adapter;
  #told: readonly PlannedTarget[] = [];

  constructor(adapter: Adapter) {
    this.#adapter = adapter;
  }

  /** kW, export positive. */
  get powersKW(): readonly number[] {
    return this.#told.map(({ powerKW }) => powerKW);
  }

  /**
   * @param holding what holds now
   * @param clamp what the limits, as they are now, leave of a power
   */
  follow(holding: Holding | undefined, coming: readonly Upcoming[], clamp: (powerKW: number) => Clamped): void {
    const next = coming.map(({ setpoint, fromMs, untilMs }) => {
      const before = this.#told.find(({ setpointId }) => setpointId === setpoint.id);
      const powerKW = steady(clamp(setpoint.powerKW), before?.powerKW);
      return { setpointId: setpoint.id, powerKW, fromMs, untilMs };
    });
    const targets = holding === undefined ? next : [targetOf(holding), ...next];
    if (sameTargets(targets, this.#told)) return;
    this.#told = targets;
    this.#adapter.plan?.(targets);
  }
}

function targetOf({ setpoint, targetKW }: Holding): PlannedTarget {
  return { setpointId: setpoint.id, powerKW: targetKW, fromMs: setpoint.validFromMs, untilMs: setpoint.validUntilMs };
}

/** The power as it is bound, or as it was told before where that is still within the bound and not much below. */
function steady({ powerKW, boundBy }: Clamped, toldKW: number | undefined): number {
  if (boundBy === undefined) return powerKW;
  const roomKW = toldKW === undefined ? -1 : Math.abs(powerKW) - Math.abs(toldKW);
  const sameSide = toldKW !== undefined && toldKW * powerKW >= 0;
  if (toldKW !== undefined && sameSide && roomKW >= -NOTHING_KW && roomKW < 2 * BOUND_STEP_KW) return toldKW;
  if (boundBy.source !== "fuse") return powerKW;
  const steps = Math.floor(Math.abs(powerKW) / BOUND_STEP_KW + NOTHING_KW);
  return steps === 0 ? 0 : Math.sign(powerKW) * steps * BOUND_STEP_KW;
}

function sameTargets(a: readonly PlannedTarget[], b: readonly PlannedTarget[]): boolean {
  return (
    a.length === b.length &&
    a.every((one, index) => {
      const other = b[index];
      return (
        other !== undefined &&
        one.setpointId === other.setpointId &&
        one.powerKW === other.powerKW &&
        one.fromMs === other.fromMs &&
        one.untilMs === other.untilMs
      );
    })
  );
}
