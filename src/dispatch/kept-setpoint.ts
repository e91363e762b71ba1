import { clampByLimits, type Limit } from "../model/limit.ts";
import type { Capability, Era } from "../model/resource.ts";
import type { Setpoint } from "../model/setpoint.ts";

/** How long a device is held within a utility's bounds by one command; it goes on before that as long as they hold. */
const KEPT_MS = 900_000;
/** Time before its end at which the next one takes over, ms. */
const RENEWED_MS = 300_000;

/** What is known of a device that nobody has given a setpoint. Powers in kW, export positive. */
export interface LeftToItself {
  readonly era: Era;
  readonly capability: Capability;
  readonly measuredKW?: number | undefined;
  /** Bounds that the utility has set. */
  readonly limits: readonly Limit[];
  /** Wall time, epoch ms. */
  readonly nowMs: number;
}

/**
 * A limit bounds what the market orders; where the market orders nothing, somebody must still hold the device within it.
 * This is that setpoint: what the device would do by itself, to be cut to the limits.
 *
 * @returns the one before while it has time left, or nothing where the device can't break a bound by itself
 */
export function keptSetpoint(device: LeftToItself, before: Setpoint | undefined): Setpoint | undefined {
  const { era, limits, nowMs } = device;
  if (limits.length === 0) return undefined;
  if (before !== undefined && nowMs < before.validUntilMs - RENEWED_MS && nowMs >= before.validFromMs) return before;
  const powerKW = freeKW(device);
  const isBound = limits.some((limit) => clampByLimits(powerKW, [limit]).boundBy !== undefined);
  if (!isBound && !isOrdered(limits)) return undefined;
  return {
    id: `utility/${era}/${nowMs}`,
    era,
    powerKW,
    validFromMs: nowMs,
    validUntilMs: nowMs + KEPT_MS,
    receivedAtMs: nowMs,
    source: { kind: "utility" },
  };
}

/** What a device does without an order: a consumer all it can, panels all they can, storage what it does now. */
function freeKW({ capability, measuredKW }: LeftToItself): number {
  const { minPowerKW, maxPowerKW, control } = capability;
  if (control === "setpoint") return measuredKW ?? 0;
  return minPowerKW < 0 ? minPowerKW : maxPowerKW;
}

/** True where a power is ordered: then both sides are one, and the device has to hold it also if it does so by chance. */
function isOrdered(limits: readonly Limit[]): boolean {
  return limits.some(({ minPowerKW, maxPowerKW }) => minPowerKW !== undefined && minPowerKW === maxPowerKW);
}
