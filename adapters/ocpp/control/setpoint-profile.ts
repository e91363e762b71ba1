import type { SetpointBounds, WireSetpoint } from "./v2g-setpoint.ts";

/**
 * How a setpoint is put in place. `Dynamic` is moved by updates and lapses without them; `Absolute` is a schedule of one
 * period, for stations or cars that know nothing else.
 */
export type SetpointKind = "Dynamic" | "Absolute";

/**
 * The profile of a transaction that holds a setpoint (operation mode CentralSetpoint), before it is written. Only there
 * may lines have setpoints of their own (V2X.09), and only in a transaction does a car say what it can do.
 */
export interface SetpointProfile {
  readonly id: number;
  readonly evseId: number;
  readonly kind: SetpointKind;
  readonly stackLevel: number;
  readonly transactionId: string;
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
