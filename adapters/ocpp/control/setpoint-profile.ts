import type { ProfilePurpose } from "./charging-profile.ts";
import type { SetpointBounds, WireSetpoint } from "./v2g-setpoint.ts";

/**
 * How a setpoint is put in place. `Dynamic` is moved by updates and lapses without them; `Absolute` is a schedule of one
 * period, for stations or cars that know nothing else.
 */
export type SetpointKind = "Dynamic" | "Absolute";

/** A charging profile that holds a setpoint (operation mode CentralSetpoint), before it is written. */
export interface SetpointProfile {
  readonly id: number;
  readonly evseId: number;
  /** The two that may hold a setpoint (2.1, block Q). */
  readonly purpose: ProfilePurpose;
  readonly kind: SetpointKind;
  readonly stackLevel: number;
  readonly transactionId?: string;
  readonly setpoint: WireSetpoint;
  readonly bounds: SetpointBounds;
  /** Conductors in use; absent at a DC outlet, which takes none. */
  readonly phases?: number;
  /** Wall time now, and at which it ends. */
  readonly nowMs: number;
  readonly untilMs: number;
  /** Seconds without an update after which a dynamic profile lapses, and after which the station asks for one. */
  readonly leaseS: number;
  readonly pullS: number;
}
