import type { Limit } from "./limit.ts";
import type { Objective } from "./objective.ts";
import type { Availability, Reading } from "./reading.ts";
import type { Capability, Era } from "./resource.ts";
import type { SessionControl } from "./session.ts";

/** A power to hold now, on its way to one device. It is already within all limits. */
export interface Target {
  readonly setpointId: string;
  /** kW, export positive. */
  readonly powerKW: number;
  /** Wall time, epoch ms, at which the device is to fall back by itself. */
  readonly untilMs: number;
  /**
   * The device accepted this power before, and its meter shows that it does not follow. The adapter says it in another way
   * where it knows one, and takes out of the way what may stand against it.
   */
  readonly correction?: true;
}

/** A power that a device is to hold in its time. */
export interface PlannedTarget {
  readonly setpointId: string;
  /** kW, export positive. It is within the limits as they are now. */
  readonly powerKW: number;
  /** Wall time, epoch ms, inclusive. */
  readonly fromMs: number;
  /** Wall time, epoch ms, exclusive. */
  readonly untilMs: number;
}

/** What a device says of itself when it is asked why. It explains and proves nothing: devices are wrong about themselves. */
export interface Evidence {
  /** For a person, in the protocol's own terms: "composite schedule says 39.0 A". */
  readonly text: string;
  /** kW, export positive, that the device says it allows or holds; absent if it does not say. */
  readonly saysKW?: number;
}

/** What a device answered to a target that it took. A refusal is a `DeviceError`. */
export interface Acceptance {
  /** kW, export positive: what the device was really told after rounding to its own steps. */
  readonly appliedKW: number;
  /** The command in the protocol's own terms, for a person: "SetChargingProfile 17.3 A x 1 for 900 s". */
  readonly command: string;
  /** True if the command carries its end, so that the device ends it without us. */
  readonly endsByItself: boolean;
}

/** What a device tells us unasked or on polling, in the order in which it came. */
export type Report =
  | { readonly kind: "reading"; readonly reading: Reading }
  | { readonly kind: "availability"; readonly availability: Availability }
  | { readonly kind: "capability"; readonly capability: Capability }
  /** Bounds that another master of the device has set: a charge point operator's backend, a utility. They replace those before. */
  | { readonly kind: "limits"; readonly limits: readonly Limit[] }
  /** The target in force is now kept in another way, or by another amount, than was last accepted. */
  | { readonly kind: "applied"; readonly setpointId: string; readonly acceptance: Acceptance }
  /** What a technician should know of the device: a wrong clock, an order of somebody else. They replace those before. */
  | { readonly kind: "notices"; readonly notices: readonly string[] }
  /** What the device itself wants, as a car with a time of departure does; absent when it wants nothing any more. */
  | { readonly kind: "objective"; readonly objective?: Objective }
  | { readonly kind: "link"; readonly up: boolean; readonly detail: string };

/**
 * One device behind one protocol. It speaks kW with export positive here and the protocol's own units on the wire.
 *
 * The core calls `start` until it succeeds, then `apply` and `release` one at a time, and reads `reports` all along.
 * After a target was accepted the adapter keeps it in force by itself until the end, another target, or `release`: it
 * sends it again after a reboot or a reconnect, and refreshes a reversion timer. Every method stops early when its signal
 * aborts. After disposal no timer and no socket is left.
 */
export interface Adapter extends AsyncDisposable {
  readonly era: Era;
  /** The protocol as the market report and the table name it, for example `ocpp1.6`; known after `start`. */
  readonly protocol: string;
  /** Charging sessions; absent for a device that has none. */
  readonly sessions?: SessionControl;
  /**
   * Connects, or waits for the device to dial in, and says what the device can do.
   * May be called again after it failed.
   * @throws DeviceError
   */
  start(signal: AbortSignal): Promise<Capability>;
  /**
   * Tells the device to hold a power. The same target twice is harmless.
   * @throws DeviceError `refused` when the device said no, `unreachable` when it is not there, `timeout` when it did not
   * answer, `protocol` when it talked nonsense
   */
  apply(target: Target, signal: AbortSignal): Promise<Acceptance>;
  /**
   * What holds now, if anything does, and what comes next, in order and without overlap; it replaces what was planned before.
   * A protocol that can hold it tells the device ahead, so that it begins by itself; `apply` follows at the start all the
   * same and finds it there. Absent where a device is only ever told what holds now. Neither waits nor throws.
   */
  plan?(targets: readonly PlannedTarget[]): void;
  /** Gives the device back to its own default: the baseline read before the first command. Harmless without a target. */
  release(signal: AbortSignal): Promise<void>;
  /**
   * Asks the device what it thinks it is doing, to explain a verdict. Absent where the protocol has no such question.
   * @throws DeviceError
   */
  probe?(signal: AbortSignal): Promise<Evidence>;
  /** All reports from now on; one reader at a time; ends when `signal` aborts. */
  reports(signal: AbortSignal): AsyncIterable<Report>;
}

/** What went wrong, for code to decide on. */
export type DeviceFault = "unreachable" | "refused" | "timeout" | "protocol";

/** Something a device did or did not do. Code reads `fault`, a person reads the message. */
export class DeviceError extends Error {
  override readonly name = "DeviceError";
  readonly fault: DeviceFault;
  readonly era: Era;

  constructor(fault: DeviceFault, era: Era, message: string, options?: ErrorOptions) {
    super(`${era}: ${message}`, options);
    this.fault = fault;
    this.era = era;
  }
}
