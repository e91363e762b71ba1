import type { PlugState } from "../messages/events.ts";

/** What a connector could do now, beside its rating. */
export interface PlugAvailability {
  readonly usable: boolean;
  readonly reason: string;
}

/**
 * `held-by-station` is the normal state under a limit of 0 A that came from us, so the connector is usable: the next
 * limit makes the car charge again.
 */
export const PLUG_AVAILABILITY: Readonly<Record<PlugState, PlugAvailability>> = {
  free: { usable: false, reason: "no car" },
  plugged: { usable: true, reason: "car connected" },
  charging: { usable: true, reason: "car charges" },
  "held-by-station": { usable: true, reason: "car waits for the charger" },
  "held-by-car": { usable: true, reason: "car does not draw" },
  finishing: { usable: false, reason: "session over" },
  reserved: { usable: false, reason: "reserved" },
  unavailable: { usable: false, reason: "charger out of service" },
  faulted: { usable: false, reason: "charger has a fault" },
};
