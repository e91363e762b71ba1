import { backoffMs, type Clock } from "../../src/clock.ts";
import type { Log } from "../../src/log.ts";
import { type Acceptance, type Adapter, DeviceError, type Report, type Target } from "../../src/model/adapter.ts";
import { ReportQueue } from "../../src/model/report-queue.ts";
import type { Capability, Era } from "../../src/model/resource.ts";
import type { AdapterContext, DeviceRole } from "../kind.ts";
import type { ModbusDevice } from "./config.ts";
import { deviceErrorFrom } from "./link/device-error.ts";
import { Exclusive } from "./link/exclusive.ts";
import type { ModbusLink } from "./link/modbus-link.ts";
import { AvailabilityWatch } from "./sunspec/availability.ts";
import { capabilityOf, rangeOf } from "./sunspec/capability.ts";
import type { Sample } from "./sunspec/measurement.ts";
import { reversionSeconds } from "./sunspec/power-conversion.ts";
import type { Registers } from "./sunspec/registers.ts";
import { type Facts, SunSpecDevice } from "./sunspec/sunspec-device.ts";

const TICK_MS = 1000;
const LONGEST_RETRY_MS = 30_000;
const FACTS_MS = 60_000;
/** A target that follows directly takes over without a moment of no command. */
const END_GRACE_MS = 1000;

/** A target in force. Times are elapsed ms. */
interface Hold {
  readonly target: Target;
  readonly endsAtMs: number;
  refreshAtMs: number;
}

/** One SunSpec inverter or battery behind a Modbus link. */
export class SunSpecAdapter implements Adapter {
  readonly era: Era;
  readonly protocol = "sunspec";
  readonly #role: DeviceRole;
  readonly #config: ModbusDevice;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #random: () => number;
  readonly #registers: Registers;
  readonly #device: SunSpecDevice;
  readonly #reports = new ReportQueue();
  /** Commands, refreshes and the restoring of the baseline never mix. */
  readonly #commands = new Exclusive();
  readonly #availability: AvailabilityWatch;
  readonly #life = new AbortController();
  #running: Promise<void> | undefined;
  #facts: Facts | undefined;
  #capability: Capability | undefined;
  #hold: Hold | undefined;
  #generation = 0;
  #isUp = false;
  #failures = 0;
  #retryAtMs = 0;
  #nextPollMs = 0;
  #nextFactsMs = 0;
  #restoreFailures = 0;
  #restoreAtMs = 0;

  constructor(role: DeviceRole, config: ModbusDevice, link: ModbusLink, context: AdapterContext) {
    this.era = role.era;
    this.#role = role;
    this.#config = config;
    this.#availability = new AvailabilityWatch(role.era, role.kind);
    this.#clock = context.clock;
    this.#log = context.log.child({ era: role.era, adapter: "modbus" });
    this.#random = context.random;
    this.#registers = registersOf(link, config);
    this.#device = new SunSpecDevice(this.#registers, context.clock, {
      kind: role.kind,
      control: config.control,
      minPercent: config.minPercent,
      ratingKW: config.ratingKW,
      meter: config.meter ?? (role.kind === "load" ? { number: 1, positiveIs: "import" } : undefined),
    });
  }

  async start(signal: AbortSignal): Promise<Capability> {
    if (this.#running !== undefined && this.#capability !== undefined) return this.#capability;
    try {
      const inner = AbortSignal.any([signal, this.#life.signal]);
      this.#generation = await this.#registers.open(inner);
      const facts = await this.#device.discover(inner);
      const capability = this.#capabilityFrom(facts);
      this.#facts = facts;
      this.#capability = capability;
      this.#nextPollMs = this.#clock.elapsedMs();
      this.#nextFactsMs = this.#clock.elapsedMs() + FACTS_MS;
      this.#linkIsUp("connected");
      this.#running = this.#run(this.#life.signal);
      return capability;
    } catch (error) {
      throw this.#faultOf(error, signal, "start");
    }
  }

  async apply(target: Target, signal: AbortSignal): Promise<Acceptance> {
    try {
      return await this.#commands.run(signal, () => this.#applyNow(target, signal));
    } catch (error) {
      // Nothing was accepted: what was in force before stays so, and is written again in case the device is in between.
      if (this.#hold !== undefined && this.#device.touched) this.#hold.refreshAtMs = this.#clock.elapsedMs();
      throw this.#faultOf(error, signal, `hold ${target.powerKW} kW`);
    }
  }

  async release(signal: AbortSignal): Promise<void> {
    try {
      await this.#commands.run(signal, async () => {
        this.#hold = undefined;
        // If this fails, the loop tries again until the device is back.
        await this.#device.restore(AbortSignal.any([signal, this.#life.signal]));
        this.#restoreFailures = 0;
      });
    } catch (error) {
      throw this.#faultOf(error, signal, "release");
    }
  }

  reports(signal: AbortSignal): AsyncIterable<Report> {
    return this.#reports.read(signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#life.abort(new Error("the adapter is closed"));
    await this.#running;
  }

  async #applyNow(target: Target, signal: AbortSignal): Promise<Acceptance> {
    const facts = this.#facts;
    if (facts === undefined) throw new DeviceError("unreachable", this.era, "not started yet");
    const control = facts.control?.control;
    const range = control?.range(facts.ratings);
    if (control === undefined || range === undefined) {
      throw new DeviceError("refused", this.era, "this device is only measured, it cannot be told a power");
    }
    if (!Number.isFinite(target.powerKW)) throw new DeviceError("refused", this.era, "the power is not a number");
    if (target.powerKW < 0 && range.minPowerKW >= 0) {
      throw new DeviceError(
        "refused",
        this.era,
        `cannot consume ${-target.powerKW} kW: a ${this.#role.kind} only generates`,
      );
    }
    if (target.powerKW > 0 && range.maxPowerKW <= 0) {
      throw new DeviceError("refused", this.era, `cannot generate ${target.powerKW} kW: the device does not discharge`);
    }
    const leftMs = target.untilMs - this.#clock.now();
    if (!(leftMs > 0)) throw new DeviceError("refused", this.era, "the target has already ended");

    const powerKW = Math.min(Math.max(target.powerKW, range.minPowerKW), range.maxPowerKW);
    const revertS = reversionSeconds(leftMs, this.#config.revertS);
    const startedMs = this.#clock.elapsedMs();
    const order = await this.#device.hold(powerKW, revertS, false, AbortSignal.any([signal, this.#life.signal]));
    const hold: Hold = { target: { ...target, powerKW }, endsAtMs: startedMs + leftMs, refreshAtMs: 0 };
    hold.refreshAtMs = this.#refreshAt(hold, startedMs, revertS, order.reverts);
    this.#hold = hold;
    return { appliedKW: order.appliedKW, command: order.command, endsByItself: order.reverts };
  }

  /**
   * A timer is refreshed within a third of its time, so that two refreshes may be lost. One that already runs to the
   * end of the target is left alone. A device without a timer is looked at instead, and written only if it forgot; one
   * that shows nothing is written again only after a reconnection, since writing wears out the memory of some.
   */
  #refreshAt(hold: Hold, armedAtMs: number, revertS: number, reverts: boolean): number {
    const runsToTheEnd = armedAtMs + revertS * 1000 >= hold.endsAtMs;
    if (reverts ? runsToTheEnd : !this.#facts?.readsBack) return Number.POSITIVE_INFINITY;
    return armedAtMs + Math.max((revertS * 1000) / 3 - TICK_MS, TICK_MS / 2);
  }

  async #run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#tick(signal);
      const untilPollMs = Math.max(this.#nextPollMs, this.#retryAtMs) - this.#clock.elapsedMs();
      try {
        await this.#clock.sleep(Math.min(Math.max(untilPollMs, 10), TICK_MS), signal);
      } catch {
        return;
      }
    }
  }

  /** One round of watching the link, keeping the target and measuring. Never throws. */
  async #tick(signal: AbortSignal): Promise<void> {
    if (this.#clock.elapsedMs() < this.#retryAtMs) return;
    try {
      await this.#watchLink(signal);
      await this.#keep(signal);
      await this.#measure(signal);
      this.#failures = 0;
    } catch (error) {
      if (signal.aborted) return;
      this.#retryAtMs =
        this.#clock.elapsedMs() +
        backoffMs(this.#failures, Math.min(this.#config.pollMs, TICK_MS), LONGEST_RETRY_MS, this.#random);
      this.#failures += 1;
      this.#linkIsDown(error);
    }
  }

  /** A new connection may lead to a device that restarted: look whether it is still the same, and order again. */
  async #watchLink(signal: AbortSignal): Promise<void> {
    const generation = await this.#registers.open(signal);
    if (generation === this.#generation) return;
    await this.#device.recheck(signal);
    this.#generation = generation;
    if (this.#hold !== undefined) this.#hold.refreshAtMs = this.#clock.elapsedMs();
  }

  async #keep(signal: AbortSignal): Promise<void> {
    const nowMs = this.#clock.elapsedMs();
    const hold = this.#hold;
    const isOver = hold !== undefined && nowMs >= hold.endsAtMs + END_GRACE_MS;
    const isDue = hold !== undefined && nowMs >= hold.refreshAtMs && nowMs < hold.endsAtMs;
    const mustRestore = hold === undefined && this.#device.touched && nowMs >= this.#restoreAtMs;
    if (!isOver && !isDue && !mustRestore) return;
    await this.#commands.run(signal, async () => {
      // An order may have come while this one waited for its turn.
      if (this.#hold !== hold) return;
      if (hold !== undefined && !isOver) await this.#refresh(hold, signal);
      else await this.#restoreQuietly(signal);
    });
  }

  async #refresh(hold: Hold, signal: AbortSignal): Promise<void> {
    const nowMs = this.#clock.elapsedMs();
    const leftMs = hold.endsAtMs - nowMs;
    if (leftMs <= 0) return;
    const revertS = reversionSeconds(leftMs, this.#config.revertS);
    try {
      const order = await this.#device.hold(hold.target.powerKW, revertS, true, signal);
      hold.refreshAtMs = this.#refreshAt(hold, nowMs, revertS, order.reverts);
    } catch (error) {
      const fault = this.#faultOf(error, signal, "refresh");
      // A broken link is the loop's matter, which comes back here. A device that says no is asked again at its time.
      if (!(fault instanceof DeviceError) || fault.fault !== "refused") throw error;
      hold.refreshAtMs = nowMs + (this.#config.revertS * 1000) / 3;
      this.#log.warn("device refused to go on with its target", { fault: fault.message });
    }
  }

  async #restoreQuietly(signal: AbortSignal): Promise<void> {
    this.#hold = undefined;
    try {
      await this.#device.restore(signal);
      this.#restoreFailures = 0;
    } catch (error) {
      this.#restoreAtMs =
        this.#clock.elapsedMs() + backoffMs(this.#restoreFailures, TICK_MS, LONGEST_RETRY_MS, this.#random);
      this.#restoreFailures += 1;
      const fault = this.#faultOf(error, signal, "restore the baseline");
      if (!(fault instanceof DeviceError) || fault.fault !== "refused") throw error;
      this.#log.warn("device refused its own baseline", { fault: fault.message });
    }
  }

  async #measure(signal: AbortSignal): Promise<void> {
    const nowMs = this.#clock.elapsedMs();
    if (nowMs < this.#nextPollMs) return;
    // A round that took longer than its period is not caught up.
    this.#nextPollMs = Math.max(this.#nextPollMs + this.#config.pollMs, nowMs + this.#config.pollMs / 2);
    if (nowMs >= this.#nextFactsMs) {
      this.#nextFactsMs = nowMs + FACTS_MS;
      await this.#device.refreshFacts(signal);
    }
    const sample = await this.#device.sample(signal);
    this.#linkIsUp("answers again");
    this.#noticeNewFacts();
    this.#reports.push({
      kind: "reading",
      reading: { era: this.era, receivedAtMs: this.#clock.now(), ...sample.values },
    });
    this.#reportAvailability(sample);
  }

  #noticeNewFacts(): void {
    const facts = this.#device.facts;
    if (facts === undefined || facts === this.#facts) return;
    try {
      const capability = this.#capabilityFrom(facts);
      this.#facts = facts;
      if (JSON.stringify(capability) === JSON.stringify(this.#capability)) return;
      this.#capability = capability;
      this.#reports.push({ kind: "capability", capability });
    } catch (error) {
      // A device that woke up without its ratings keeps the capability that it had.
      this.#log.warn("device no longer states what it can do", { fault: String(error) });
    }
  }

  #reportAvailability(sample: Sample): void {
    const range = this.#facts && rangeOf(this.#role.kind, this.#facts);
    const availability = range && this.#availability.newsIn(sample, range);
    if (availability !== undefined) this.#reports.push({ kind: "availability", availability });
  }

  #capabilityFrom(facts: Facts): Capability {
    return capabilityOf(this.era, this.#role.kind, facts, {
      settleMs: this.#config.settleS * 1000,
      sampleMs: this.#config.pollMs,
    });
  }

  #linkIsUp(detail: string): void {
    if (this.#isUp) return;
    this.#isUp = true;
    this.#log.info("device is reachable", { detail });
    this.#reports.push({ kind: "link", up: true, detail });
  }

  #linkIsDown(error: unknown): void {
    const detail = error instanceof Error ? error.message : String(error);
    if (!this.#isUp) {
      this.#log.debug("device still does not answer", { detail });
      return;
    }
    this.#isUp = false;
    this.#log.warn("device does not answer", { detail });
    this.#reports.push({ kind: "link", up: false, detail });
  }

  /** What the caller's signal ended is the caller's; all else becomes a `DeviceError`. */
  #faultOf(error: unknown, signal: AbortSignal, attempted: string): unknown {
    if (signal.aborted) return signal.reason;
    if (this.#life.signal.aborted)
      return new DeviceError("unreachable", this.era, `${attempted}: the adapter is closed`);
    return deviceErrorFrom(error, this.era, attempted);
  }
}

function registersOf(link: ModbusLink, config: ModbusDevice): Registers {
  const manners = { unit: config.unit, timeoutMs: config.timeoutMs, gapMs: config.gapMs };
  return {
    open: (signal) => link.open(manners, signal),
    read: (address, count, signal) => link.read(manners, address, count, signal),
    write: (address, values, options, signal) => link.write(manners, address, values, options, signal),
  };
}
