import { backoffMs, type Clock } from "../../../src/clock.ts";
import type { Log } from "../../../src/log.ts";
import { type Acceptance, DeviceError, type Target } from "../../../src/model/adapter.ts";
import { type Capability, directionFault, type Era } from "../../../src/model/resource.ts";
import { deviceErrorFrom } from "../link/device-error.ts";
import { Exclusive } from "../link/exclusive.ts";
import type { ControlSpec } from "./control-schema.ts";
import type { ProfileControl, ProfileOrder } from "./profile-control.ts";
import type { ChosenControl } from "./profile-device.ts";
import { ProfileError } from "./profile-error.ts";

const TICK_MS = 1000;
const LONGEST_RETRY_MS = 30_000;
/** A target that follows directly takes over without a moment of no command. */
const END_GRACE_MS = 1000;
/** After a restart a setpoint that still holds has this long to be ordered again before the baseline is brought back. */
const RESUME_GRACE_MS = 15_000;

/** A target in force. Times are elapsed ms. */
interface Hold {
  readonly target: Target;
  readonly endsAtMs: number;
  /** When the registers are written or looked at again. */
  refreshAtMs: number;
  /** When the device must hear its next heartbeat. */
  beatAtMs: number;
  /** The device may have restarted since it was told. */
  isDoubtful: boolean;
}

export interface ProfileKeeperParts {
  readonly era: Era;
  readonly control: ProfileControl;
  readonly chosen: () => ChosenControl | undefined;
  /** Elapsed ms between two looks at a device that has no timer. */
  readonly lookMs: number;
  readonly clock: Clock;
  readonly log: Log;
  readonly random: () => number;
  /** Makes sure that this is still the device, before anything is written. @throws ProfileError if it is not */
  readonly recognise: (signal: AbortSignal) => Promise<void>;
  /** What became of an order, for the reports. */
  readonly onOrder: (order: ProfileOrder | undefined) => void;
}

/**
 * Keeps one target in force until its end: feeds the device's timer or watchdog, gives the target again after a
 * reconnection, brings the baseline back when it is over, also the one that a crashed gateway left behind.
 */
export class ProfileKeeper {
  readonly #parts: ProfileKeeperParts;
  /** Commands, refreshes and the restoring of the baseline never mix. */
  readonly #commands = new Exclusive();
  #hold: Hold | undefined;
  #restoreFailures = 0;
  #restoreAtMs = 0;
  #said: string | undefined;

  constructor(parts: ProfileKeeperParts) {
    this.#parts = parts;
  }

  started(): void {
    this.#restoreAtMs = this.#parts.clock.elapsedMs() + RESUME_GRACE_MS;
  }

  /** Elapsed ms at which something is due; infinite where nothing is. */
  get nextMs(): number {
    const { refreshAtMs = Number.POSITIVE_INFINITY, beatAtMs = Number.POSITIVE_INFINITY } = this.#hold ?? {};
    return Math.min(refreshAtMs, beatAtMs);
  }

  /** Does something that must not come between two writes of an order. */
  alone<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    return this.#commands.run(signal, work);
  }

  /** @throws DeviceError, ModbusError or ProfileError */
  async apply(target: Target, capability: Capability, signal: AbortSignal): Promise<Acceptance> {
    try {
      return await this.#commands.run(signal, () => this.#applyNow(target, capability, signal));
    } catch (error) {
      // Nothing was accepted: what was in force before stays so, and is written again in case the device is in between.
      if (this.#parts.control.touched) this.reassert();
      throw error;
    }
  }

  /** If this fails, `tick` tries again until the device is back. */
  async release(signal: AbortSignal): Promise<void> {
    await this.#commands.run(signal, async () => {
      this.#hold = undefined;
      this.#restoreAtMs = 0;
      if (!this.#parts.control.touched) return;
      await this.#parts.recognise(signal);
      await this.#parts.control.restore(signal);
      this.#restoreFailures = 0;
      this.#parts.onOrder(undefined);
    });
  }

  /** The device may have forgotten: tell it again at the next tick. */
  reassert(): void {
    if (this.#hold === undefined) return;
    this.#hold.refreshAtMs = this.#parts.clock.elapsedMs();
    this.#hold.isDoubtful = true;
  }

  /** Does what is due. @throws ModbusError for a link that broke */
  async tick(signal: AbortSignal): Promise<void> {
    const nowMs = this.#parts.clock.elapsedMs();
    const hold = this.#hold;
    const isOver = hold !== undefined && nowMs >= hold.endsAtMs + END_GRACE_MS;
    const isDue = hold !== undefined && nowMs >= this.nextMs && nowMs < hold.endsAtMs;
    const mustRestore = hold === undefined && this.#parts.control.touched && nowMs >= this.#restoreAtMs;
    if (!isOver && !isDue && !mustRestore) return;
    await this.#commands.run(signal, async () => {
      // An order may have come while this one waited for its turn.
      if (this.#hold !== hold) return;
      if (hold === undefined || isOver) await this.#restoreQuietly(signal);
      else await this.#refresh(hold, nowMs, signal);
    });
  }

  async #applyNow(target: Target, capability: Capability, signal: AbortSignal): Promise<Acceptance> {
    const { era, control, chosen, clock, recognise, onOrder } = this.#parts;
    if (chosen() === undefined) {
      throw new DeviceError("refused", era, "this device is only measured, it cannot be told a power");
    }
    if (!Number.isFinite(target.powerKW)) throw new DeviceError("refused", era, "the power is not a number");
    const wrongWay = directionFault(target.powerKW, era, capability);
    if (wrongWay !== undefined) throw new DeviceError("refused", era, wrongWay);
    const leftMs = target.untilMs - clock.now();
    if (!(leftMs > 0)) throw new DeviceError("refused", era, "the target has already ended");
    const startedMs = clock.elapsedMs();
    await recognise(signal);
    const { spec } = chosen() ?? { spec: undefined };
    if (spec === undefined) throw new DeviceError("refused", era, "this device no longer has its control");
    // A correction is for a device that does not follow: it is told in full, also what it seems to hold.
    const mode = target.correction ? "refresh" : "order";
    const order = await control.hold(target.powerKW, reversionS(spec, leftMs), mode, signal);
    this.#hold = {
      target,
      endsAtMs: startedMs + leftMs,
      refreshAtMs: this.#refreshAt(spec, startedMs),
      beatAtMs: beatAt(spec, startedMs),
      isDoubtful: false,
    };
    onOrder(order);
    return { appliedKW: order.appliedKW, command: order.command, endsByItself: order.endsByItself };
  }

  /**
   * A timer is refreshed within a third of its time, so that two refreshes may be lost. A device without one is looked at
   * instead, and written only if it forgot; one that shows nothing is written again only after a reconnection.
   */
  #refreshAt(spec: ControlSpec, sinceMs: number): number {
    const rearmMs = rearmPeriodMs(spec);
    const periods = [
      ...(rearmMs === undefined ? [] : [rearmMs]),
      ...(spec.verify.readback ? [this.#parts.lookMs] : []),
    ];
    return sinceMs + Math.max(Math.min(...periods, Number.POSITIVE_INFINITY) - TICK_MS, TICK_MS / 2);
  }

  async #refresh(hold: Hold, nowMs: number, signal: AbortSignal): Promise<void> {
    const { control, chosen, onOrder } = this.#parts;
    const spec = chosen()?.spec;
    if (spec === undefined) return;
    const left = reversionS(spec, hold.endsAtMs - nowMs);
    try {
      if (nowMs >= hold.refreshAtMs) {
        const look = hold.isDoubtful ? "reassert" : "check";
        const mode = rearmPeriodMs(spec) === undefined ? look : "refresh";
        onOrder(await control.hold(hold.target.powerKW, left, mode, signal));
        hold.isDoubtful = false;
      }
      if (nowMs >= hold.beatAtMs) await control.beat(left, signal);
      this.#said = undefined;
    } catch (error) {
      // A broken link is the loop's matter, which comes back here. A device that says no is asked again at its time.
      this.#sayRefusal(error, signal, "device refused to go on with its target");
    }
    if (nowMs >= hold.refreshAtMs) hold.refreshAtMs = this.#refreshAt(spec, nowMs);
    if (nowMs >= hold.beatAtMs) hold.beatAtMs = beatAt(spec, nowMs);
  }

  async #restoreQuietly(signal: AbortSignal): Promise<void> {
    const { control, clock, random, onOrder, recognise } = this.#parts;
    this.#hold = undefined;
    try {
      await recognise(signal);
      await control.restore(signal);
      this.#restoreFailures = 0;
      this.#said = undefined;
      onOrder(undefined);
    } catch (error) {
      this.#restoreAtMs = clock.elapsedMs() + backoffMs(this.#restoreFailures, TICK_MS, LONGEST_RETRY_MS, random);
      this.#restoreFailures += 1;
      this.#sayRefusal(error, signal, "device refused its own baseline");
    }
  }

  /** Says it once. @throws what is no refusal */
  #sayRefusal(error: unknown, signal: AbortSignal, what: string): void {
    if (signal.aborted) throw error;
    const fault = faultFrom(error, this.#parts.era, "keep the target");
    if (fault.fault !== "refused") throw error;
    if (this.#said === fault.message) return;
    this.#said = fault.message;
    this.#parts.log.warn(what, { fault: fault.message });
  }
}

/** The core's error for whatever went wrong. */
export function faultFrom(error: unknown, era: Era, attempted: string): DeviceError {
  if (!(error instanceof ProfileError)) return deviceErrorFrom(error, era, attempted);
  return new DeviceError(error.fault, era, `${attempted}: ${error.message}`, { cause: error });
}

function isWholeRewrite(heartbeat: NonNullable<ControlSpec["heartbeat"]>): boolean {
  return heartbeat.mode === "rewrite" && heartbeat.point === undefined;
}

/** When the device must hear its next heartbeat that is no whole sequence; infinite where it needs none. */
function beatAt({ heartbeat }: ControlSpec, sinceMs: number): number {
  const beats = heartbeat !== undefined && !isWholeRewrite(heartbeat);
  return beats ? sinceMs + heartbeat.everyS * 1000 : Number.POSITIVE_INFINITY;
}

/** How often the whole sequence is written again, whether or not the device still holds it; undefined for never. */
function rearmPeriodMs({ heartbeat, reversion }: ControlSpec): number | undefined {
  if (heartbeat !== undefined && isWholeRewrite(heartbeat)) return heartbeat.everyS * 1000;
  if (heartbeat?.mode === "rewrite" || reversion === undefined) return undefined;
  return (reversion.seconds * 1000) / 3;
}

/** Seconds to arm: no longer than the target lasts, and no shorter than the device takes. */
function reversionS({ reversion }: ControlSpec, leftMs: number): number {
  if (reversion === undefined) return 0;
  return Math.max(reversion.least, Math.min(reversion.seconds, Math.ceil(leftMs / 1000)));
}
