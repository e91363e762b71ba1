import { backoffMs, type Clock } from "../../../src/clock.ts";
import type { Log } from "../../../src/log.ts";
import { type Acceptance, DeviceError, type Target } from "../../../src/model/adapter.ts";
import type { DeviceRole } from "../../kind.ts";
import { deviceErrorFrom } from "../link/device-error.ts";
import { Exclusive } from "../link/exclusive.ts";
import type { DeviceControl, Held } from "./device-control.ts";
import { checkedPowerKW } from "./order-check.ts";
import { reversionSeconds } from "./power-conversion.ts";
import type { Facts } from "./sunspec-device.ts";

const TICK_MS = 1000;
const LONGEST_RETRY_MS = 30_000;
/** A target that follows directly takes over without a moment of no command. */
const END_GRACE_MS = 1000;
/** After a restart a setpoint that still holds has this long to be ordered again before the baseline is brought back. */
const RESUME_GRACE_MS = 15_000;
/** A controller is alive if its counter moves every second (SunSpec 715 and 802). */
const HEARTBEAT_MS = 1000;
/** Longest time that a 16-bit timer takes. */
const LONGEST_REVERSION_S = 0xfffe;

/** A target in force. Times are elapsed ms. */
interface Hold {
  readonly target: Target;
  readonly endsAtMs: number;
  refreshAtMs: number;
  /** Why the last refresh was refused; absent if it was not. */
  refusal?: string;
}

export interface TargetKeeperParts {
  readonly role: DeviceRole;
  readonly control: DeviceControl;
  /** Reversion time that is armed, seconds. */
  readonly revertS: number;
  readonly clock: Clock;
  readonly log: Log;
  readonly random: () => number;
}

/**
 * Keeps one target in force until its end: arms its timer anew, gives it again after a reconnection, restores the
 * baseline when it is over, also the one that a crashed gateway left behind.
 */
export class TargetKeeper {
  readonly #parts: TargetKeeperParts;
  /** Commands, refreshes and the restoring of the baseline never mix. */
  readonly #commands = new Exclusive();
  #hold: Hold | undefined;
  #restoreFailures = 0;
  #restoreAtMs = 0;
  #beatAtMs = 0;
  #restoreRefusal: string | undefined;

  constructor(parts: TargetKeeperParts) {
    this.#parts = parts;
  }

  /** The device is known now. What a crashed gateway left in it is restored, unless it is ordered anew soon. */
  started(): void {
    this.#restoreAtMs = this.#parts.clock.elapsedMs() + RESUME_GRACE_MS;
  }

  /** @throws DeviceError, ModbusError, SunSpecError */
  async apply(target: Target, facts: Facts, signal: AbortSignal): Promise<Acceptance> {
    try {
      return await this.#commands.run(signal, () => this.#applyNow(target, facts, signal));
    } catch (error) {
      // Nothing was accepted: what was in force before stays so, and is written again in case the device is in between.
      this.reassert();
      throw error;
    }
  }

  /** If this fails, `tick` tries again until the device is back. */
  async release(signal: AbortSignal): Promise<void> {
    await this.#commands.run(signal, async () => {
      this.#hold = undefined;
      this.#restoreAtMs = 0;
      await this.#parts.control.restore(signal);
      this.#restoreFailures = 0;
    });
  }

  /** The device may have forgotten: tell it again at the next tick. */
  reassert(): void {
    if (this.#hold !== undefined && this.#parts.control.touched) {
      this.#hold.refreshAtMs = this.#parts.clock.elapsedMs();
    }
  }

  /** What is due now. @throws ModbusError for a link that broke */
  async tick(signal: AbortSignal): Promise<void> {
    await this.#beat(signal);
    const nowMs = this.#parts.clock.elapsedMs();
    const hold = this.#hold;
    const isOver = hold !== undefined && nowMs >= hold.endsAtMs + END_GRACE_MS;
    const isDue = hold !== undefined && nowMs >= hold.refreshAtMs && nowMs < hold.endsAtMs;
    const mustRestore = hold === undefined && this.#parts.control.touched && nowMs >= this.#restoreAtMs;
    if (!isOver && !isDue && !mustRestore) return;
    await this.#commands.run(signal, async () => {
      // An order may have come while this one waited for its turn.
      if (this.#hold !== hold) return;
      if (hold !== undefined && !isOver) await this.#refresh(hold, signal);
      else await this.#restoreQuietly(signal);
    });
  }

  async #applyNow(target: Target, facts: Facts, signal: AbortSignal): Promise<Acceptance> {
    const { role, control, clock } = this.#parts;
    const powerKW = checkedPowerKW(target, role, facts);
    const leftMs = target.untilMs - clock.now();
    if (!(leftMs > 0)) throw new DeviceError("refused", role.era, "the target has already ended");
    const startedMs = clock.elapsedMs();
    const occasion = target.correction ? "correction" : "order";
    const held = await control.hold(powerKW, this.#reversionS(leftMs), occasion, signal);
    const hold: Hold = { target: { ...target, powerKW }, endsAtMs: startedMs + leftMs, refreshAtMs: 0 };
    hold.refreshAtMs = this.#refreshAt(hold, startedMs, held);
    this.#hold = hold;
    const end = held.arming.armed ? `, reverts in ${held.arming.seconds} s` : "";
    return { appliedKW: held.appliedKW, command: `${held.command}${end}`, endsByItself: held.arming.armed };
  }

  /** A device that wears out is armed once for the whole time; it then goes on that long without us. */
  #reversionS(leftMs: number): number {
    const { control, revertS } = this.#parts;
    return reversionSeconds(leftMs, control.wearsOut ? LONGEST_REVERSION_S : revertS);
  }

  /**
   * A timer is refreshed within a third of its time, so that two refreshes may be lost. One that already runs to the
   * end of the target is left alone. A device without a timer is looked at instead, and written only if it forgot; one
   * that shows nothing is written again only after a reconnection, since writing wears out the memory of some.
   */
  #refreshAt(hold: Hold, armedAtMs: number, { arming, isVisible }: Held): number {
    const { revertS } = this.#parts;
    if (!arming.armed) return isVisible ? armedAtMs + refreshAfterMs(revertS) : Number.POSITIVE_INFINITY;
    const runsToTheEnd = armedAtMs + arming.seconds * 1000 >= hold.endsAtMs;
    return runsToTheEnd ? Number.POSITIVE_INFINITY : armedAtMs + refreshAfterMs(arming.seconds);
  }

  async #refresh(hold: Hold, signal: AbortSignal): Promise<void> {
    const { clock, control, log, role, revertS } = this.#parts;
    const nowMs = clock.elapsedMs();
    const leftMs = hold.endsAtMs - nowMs;
    if (leftMs <= 0) return;
    try {
      const held = await control.hold(hold.target.powerKW, this.#reversionS(leftMs), "refresh", signal);
      hold.refreshAtMs = this.#refreshAt(hold, nowMs, held);
      delete hold.refusal;
    } catch (error) {
      if (signal.aborted) throw error;
      const fault = deviceErrorFrom(error, role.era, "refresh");
      // A broken link is the loop's matter, which comes back here. A device that says no is asked again at its time.
      if (fault.fault !== "refused") throw error;
      hold.refreshAtMs = nowMs + refreshAfterMs(revertS);
      if (hold.refusal === fault.message) return;
      hold.refusal = fault.message;
      log.warn("device refused to go on with its target", { fault: fault.message });
    }
  }

  async #restoreQuietly(signal: AbortSignal): Promise<void> {
    const { clock, control, log, role, random } = this.#parts;
    this.#hold = undefined;
    try {
      await control.restore(signal);
      this.#restoreFailures = 0;
      this.#restoreRefusal = undefined;
    } catch (error) {
      this.#restoreAtMs = clock.elapsedMs() + backoffMs(this.#restoreFailures, TICK_MS, LONGEST_RETRY_MS, random);
      this.#restoreFailures += 1;
      if (signal.aborted) throw error;
      const fault = deviceErrorFrom(error, role.era, "restore the baseline");
      if (fault.fault !== "refused") throw error;
      if (this.#restoreRefusal === fault.message) return;
      this.#restoreRefusal = fault.message;
      log.warn("device refused its own baseline", { fault: fault.message });
    }
  }

  async #beat(signal: AbortSignal): Promise<void> {
    const nowMs = this.#parts.clock.elapsedMs();
    if (this.#hold === undefined || nowMs < this.#beatAtMs) return;
    this.#beatAtMs = Math.max(this.#beatAtMs + HEARTBEAT_MS, nowMs + HEARTBEAT_MS / 2);
    await this.#parts.control.beat(signal);
  }
}

function refreshAfterMs(seconds: number): number {
  return Math.max((seconds * 1000) / 3 - TICK_MS, TICK_MS / 2);
}
