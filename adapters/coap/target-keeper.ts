import { backoffMs, type Clock } from "../../src/clock.ts";
import type { Log } from "../../src/log.ts";
import { type Acceptance, DeviceError, type Target } from "../../src/model/adapter.ts";
import { type Capability, directionFault, type Era } from "../../src/model/resource.ts";
import { CoapError } from "./link/coap-error.ts";
import { OneAtATime } from "./link/one-at-a-time.ts";
import { armingS, type ControlSpec } from "./profile/control-schema.ts";
import type { ProfileControl } from "./profile-control.ts";

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
  /** When the device is told again, whether or not it still holds it; infinite where it need not be. */
  rearmAtMs: number;
  /** When it is asked whether it still holds it; infinite where it does not show it. */
  lookAtMs: number;
}

export interface TargetKeeperParts {
  readonly era: Era;
  readonly control: ProfileControl;
  readonly chosen: () => ControlSpec | undefined;
  /** Elapsed ms between two looks whether a device still holds its order. */
  readonly lookMs: number;
  readonly clock: Clock;
  readonly log: Log;
  readonly random: () => number;
  /** Makes sure that this is still the device, before anything is written. @throws CoapError if it is not */
  readonly recognise: (signal: AbortSignal) => Promise<void>;
}

/**
 * Keeps one target in force until its end: feeds the device's timer, gives the target again after an outage, brings the
 * baseline back when it is over, also the one that a crashed gateway left behind.
 */
export class TargetKeeper {
  readonly #parts: TargetKeeperParts;
  /** Orders, refreshes and the restoring of the baseline never mix. */
  readonly #turns = new OneAtATime();
  #hold: Hold | undefined;
  #restoreFailures = 0;
  #restoreAtMs = 0;
  #said: string | undefined;

  constructor(parts: TargetKeeperParts) {
    this.#parts = parts;
  }

  started(): void {
    this.#restoreAtMs = this.#parts.clock.elapsedMs() + RESUME_GRACE_MS;
  }

  /** Elapsed ms at which something is due; infinite where nothing is. */
  get nextMs(): number {
    const { rearmAtMs = Number.POSITIVE_INFINITY, lookAtMs = Number.POSITIVE_INFINITY } = this.#hold ?? {};
    return Math.min(rearmAtMs, lookAtMs);
  }

  /** @throws DeviceError or CoapError */
  async apply(target: Target, capability: Capability, signal: AbortSignal): Promise<Acceptance> {
    try {
      return await this.#turns.run(signal, () => this.#applyNow(target, capability, signal));
    } catch (error) {
      // Nothing was accepted: what was in force before stays so, and is written again in case the device is in between.
      if (this.#parts.control.touched) this.reassert();
      throw error;
    }
  }

  /** If this fails, `tick` tries again until the device is back. */
  async release(signal: AbortSignal): Promise<void> {
    await this.#turns.run(signal, async () => {
      this.#hold = undefined;
      this.#restoreAtMs = 0;
      if (!this.#parts.control.touched) return;
      await this.#parts.recognise(signal);
      await this.#parts.control.restore(signal);
      this.#restoreFailures = 0;
    });
  }

  /** The device may have forgotten: tell it again at the next tick. */
  reassert(): void {
    if (this.#hold !== undefined) this.#hold.rearmAtMs = this.#parts.clock.elapsedMs();
  }

  /** Does what is due. @throws CoapError for a device that is away */
  async tick(signal: AbortSignal): Promise<void> {
    const nowMs = this.#parts.clock.elapsedMs();
    const hold = this.#hold;
    const isOver = hold !== undefined && nowMs >= hold.endsAtMs + END_GRACE_MS;
    const isDue = hold !== undefined && nowMs >= this.nextMs && nowMs < hold.endsAtMs;
    const mustRestore = hold === undefined && this.#parts.control.touched && nowMs >= this.#restoreAtMs;
    if (!isOver && !isDue && !mustRestore) return;
    await this.#turns.run(signal, async () => {
      // An order may have come while this one waited for its turn.
      if (this.#hold !== hold) return;
      if (hold === undefined || isOver) await this.#restoreQuietly(signal);
      else await this.#refresh(hold, nowMs, signal);
    });
  }

  async #applyNow(target: Target, capability: Capability, signal: AbortSignal): Promise<Acceptance> {
    const { era, control, chosen, clock, recognise } = this.#parts;
    const spec = chosen();
    if (spec === undefined)
      throw new DeviceError("refused", era, "this device is only measured, it cannot be told a power");
    if (!Number.isFinite(target.powerKW)) throw new DeviceError("refused", era, "the power is not a number");
    const wrongWay = directionFault(target.powerKW, era, capability);
    if (wrongWay !== undefined) throw new DeviceError("refused", era, wrongWay);
    const leftMs = target.untilMs - clock.now();
    if (!(leftMs > 0)) throw new DeviceError("refused", era, "the target has already ended");
    const startedMs = clock.elapsedMs();
    await recognise(signal);
    const order = await control.hold(target.powerKW, reversionS(spec, leftMs), "order", signal);
    this.#hold = { target, endsAtMs: startedMs + leftMs, ...this.#nextTimes(spec, startedMs) };
    const { appliedKW, command, endsByItself } = order;
    return { appliedKW, command, endsByItself };
  }

  /** A device without a timer is only looked at. */
  #nextTimes(spec: ControlSpec, sinceMs: number): Pick<Hold, "rearmAtMs" | "lookAtMs"> {
    const rearmMs = (armingS(spec) ?? Number.POSITIVE_INFINITY) * 1000;
    const lookMs = spec.verify.readback ? this.#parts.lookMs : Number.POSITIVE_INFINITY;
    return { rearmAtMs: sinceMs + rearmMs, lookAtMs: sinceMs + lookMs };
  }

  async #refresh(hold: Hold, nowMs: number, signal: AbortSignal): Promise<void> {
    const { control, chosen } = this.#parts;
    const spec = chosen();
    if (spec === undefined) return;
    try {
      const left = reversionS(spec, hold.endsAtMs - nowMs);
      const mode = nowMs >= hold.rearmAtMs ? "write" : "check";
      const order = await control.hold(hold.target.powerKW, left, mode, signal);
      this.#said = undefined;
      // A look that found all well has fed no timer.
      if (!order.isWritten) {
        hold.lookAtMs = nowMs + this.#parts.lookMs;
        return;
      }
    } catch (error) {
      // A device that is away is the loop's matter, which comes back here. One that says no is asked again at its time.
      this.#sayRefusal(error, signal, "device refused to go on with its target");
    }
    Object.assign(hold, this.#nextTimes(spec, nowMs));
  }

  async #restoreQuietly(signal: AbortSignal): Promise<void> {
    const { control, clock, random, recognise } = this.#parts;
    this.#hold = undefined;
    try {
      await recognise(signal);
      await control.restore(signal);
      this.#restoreFailures = 0;
      this.#said = undefined;
    } catch (error) {
      this.#restoreAtMs = clock.elapsedMs() + backoffMs(this.#restoreFailures, TICK_MS, LONGEST_RETRY_MS, random);
      this.#restoreFailures += 1;
      this.#sayRefusal(error, signal, "device refused its own baseline");
    }
  }

  /** Says it once. @throws what is no refusal */
  #sayRefusal(error: unknown, signal: AbortSignal, what: string): void {
    if (signal.aborted || !(error instanceof CoapError) || error.fault !== "refused") throw error;
    if (this.#said === error.message) return;
    this.#said = error.message;
    this.#parts.log.warn(what, { fault: error.message });
  }
}

/** Seconds to arm: no longer than the target lasts, and no shorter than the device takes. */
function reversionS({ reversion }: ControlSpec, leftMs: number): number {
  if (reversion === undefined) return 0;
  return Math.max(reversion.least, Math.min(reversion.seconds, Math.ceil(leftMs / 1000)));
}
