import type { Limit } from "../model/limit.ts";
import type { Availability } from "../model/reading.ts";
import type { Capability, ResourceKind } from "../model/resource.ts";
import type { PowerBand } from "./curve-from-capability.ts";

/** Above this a battery takes in next to nothing, and one that is full may never show a round hundred. */
const FULL_PERCENT = 99.5;

/** What bounds a device now. */
export interface PresentBounds {
  readonly kind: ResourceKind;
  readonly capability: Capability;
  readonly availability?: Availability;
  readonly limits?: readonly Limit[];
  readonly socPercent?: number;
}

/**
 * The power band now: what the device can do at all, cut to what it says is possible now, to its limits and to its charge.
 * A side that is narrower than the least power at which the device runs is closed.
 */
export function presentBand(bounds: PresentBounds, reserveSocPercent: number): PowerBand {
  const { capability, availability, socPercent, kind, limits = [] } = bounds;
  let minPowerKW = Math.max(
    capability.minPowerKW,
    availability?.minPowerKW ?? Number.NEGATIVE_INFINITY,
    ...limits.map((limit) => limit.minPowerKW ?? Number.NEGATIVE_INFINITY),
  );
  let maxPowerKW = Math.min(
    capability.maxPowerKW,
    availability?.maxPowerKW ?? Number.POSITIVE_INFINITY,
    ...limits.map((limit) => limit.maxPowerKW ?? Number.POSITIVE_INFINITY),
  );
  if (socPercent !== undefined && (kind === "battery" || kind === "charger")) {
    if (socPercent >= FULL_PERCENT) minPowerKW = 0;
    if (socPercent <= reserveSocPercent) maxPowerKW = 0;
  }
  const minRunKW = capability.minRunKW ?? 0;
  return {
    minPowerKW: minPowerKW < 0 && -minPowerKW >= minRunKW ? minPowerKW : 0,
    maxPowerKW: maxPowerKW > 0 && maxPowerKW >= minRunKW ? maxPowerKW : 0,
  };
}
