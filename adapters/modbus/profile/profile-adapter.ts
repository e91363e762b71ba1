import { backoffMs, type Clock } from "../../../src/clock.ts";
import type { Log } from "../../../src/log.ts";
import { type Acceptance, type Adapter, DeviceError, type Report, type Target } from "../../../src/model/adapter.ts";
import { ReportQueue } from "../../../src/model/report-queue.ts";
import { type Capability, directionFault, type Era } from "../../../src/model/resource.ts";
import type { AdapterContext, DeviceRole } from "../../kind.ts";
import { deviceErrorFrom } from "../link/device-error.ts";
import { Exclusive } from "../link/exclusive.ts";
import type { DeviceOptions } from "./control-range.ts";
import type { ControlSpec } from "./control-schema.ts";
import { ProfileAvailability } from "./profile-availability.ts";
import { capabilityFrom, type ProfileTimes } from "./profile-capability.ts";
import {
  type ChosenControl,
  ProfileDevice,
  type ProfileFacts,
  type ProfileKeeping,
  type ProfileOrder,
} from "./profile-device.ts";
import { ProfileError } from "./profile-error.ts";
import type { Profile } from "./profile-schema.ts";
import type { UnitPort } from "./unit-port.ts";

const TICK_MS = 1000;
const LONGEST_RETRY_MS = 30_000;
/** A target that follows directly takes over without a moment of no command. */
const END_GRACE_MS = 1000;
/** A device may get points that it did not have, with an update. */
const LOOK_ANEW_MS = 600_000;

/** A target in force. Times are elapsed ms. */
interface Hold {
  readonly target: Target;
  readonly endsAtMs: number;
  /** When the registers are written or looked at again. */
  refreshAtMs: number;
  /** When the device must hear its next heartbeat. */
  beatAtMs: number;
}

export interface ProfileAdapterOptions extends DeviceOptions, ProfileTimes {
  readonly pollMs: number;
}

/** One device that a profile describes: inverter, battery, charger or meter. */
export class ProfileAdapter implements Adapter {
  readonly era: Era;
  readonly protocol: string;
  readonly #role: DeviceRole;
  readonly #profile: Profile;
  readonly #options: ProfileAdapterOptions;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #random: () => number;
  readonly #port: UnitPort;
  readonly #device: ProfileDevice;
  readonly #availability: ProfileAvailability;
  readonly #reports = new ReportQueue();
  /** Commands, refreshes and the restoring of the baseline never mix. */
  readonly #commands = new Exclusive();
  readonly #life = new AbortController();
  #running: Promise<void> | undefined;
  #capability: Capability | undefined;
  #hold: Hold | undefined;
  #generation = 0;
  #isUp = false;
  #failures = 0;
  #retryAtMs = 0;
  #fastAtMs = 0;
  #slowAtMs = 0;
  #anewAtMs = 0;
  #restoreFailures = 0;
  #restoreAtMs = 0;
  #notice: string | undefined;

  constructor(
    role: DeviceRole,
    profile: Profile,
    port: UnitPort,
    options: ProfileAdapterOptions,
    context: AdapterContext,
    keeping: Omit<ProfileKeeping, "clock">,
  ) {
    this.era = role.era;
    this.protocol = `modbus:${profile.id}`;
    this.#role = role;
    this.#profile = profile;
    this.#options = options;
    this.#clock = context.clock;
    this.#log = context.log.child({ era: role.era, adapter: "modbus", profile: profile.id });
    this.#random = context.random;
    this.#port = port;
    this.#device = new ProfileDevice(port, profile, options, { ...keeping, clock: context.clock });
    this.#availability = new ProfileAvailability(role.era, role.kind);
  }

  async start(signal: AbortSignal): Promise<Capability> {
    if (this.#running !== undefined && this.#capability !== undefined) return this.#capability;
    try {
      const inner = AbortSignal.any([signal, this.#life.signal]);
      this.#generation = await this.#port.open(inner);
      const facts = await this.#device.discover(inner);
      const capability = capabilityFrom(this.#role.kind, facts, this.#options);
      this.#capability = capability;
      const nowMs = this.#clock.elapsedMs();
      this.#fastAtMs = nowMs;
      this.#slowAtMs = nowMs + facts.profile.limits.slowPollMs;
      this.#anewAtMs = nowMs + LOOK_ANEW_MS;
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
        const inner = AbortSignal.any([signal, this.#life.signal]);
        // If this fails, the loop tries again until the device is back.
        if (this.#device.touched) await this.#recognise(inner);
        await this.#device.restore(inner);
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
    const facts = this.#device.facts;
    const capability = this.#capability;
    if (facts === undefined || capability === undefined) {
      throw new DeviceError("unreachable", this.era, "not started yet");
    }
    const { control } = facts;
    if (control === undefined) {
      throw new DeviceError("refused", this.era, "this device is only measured, it cannot be told a power");
    }
    if (!Number.isFinite(target.powerKW)) throw new DeviceError("refused", this.era, "the power is not a number");
    const wrongWay = directionFault(target.powerKW, this.era, capability);
    if (wrongWay !== undefined) throw new DeviceError("refused", this.era, wrongWay);
    const leftMs = target.untilMs - this.#clock.now();
    if (!(leftMs > 0)) throw new DeviceError("refused", this.era, "the target has already ended");
    const startedMs = this.#clock.elapsedMs();
    const inner = AbortSignal.any([signal, this.#life.signal]);
    await this.#recognise(inner);
    // A correction is for a device that does not follow: it is told in full, also what it seems to hold.
    const mode = target.correction ? "refresh" : "order";
    const order = await this.#device.hold(target.powerKW, reversionS(control, leftMs), mode, inner);
    this.#hold = {
      target,
      endsAtMs: startedMs + leftMs,
      refreshAtMs: this.#refreshAt(control, startedMs),
      beatAtMs: beatAt(control, startedMs),
    };
    this.#tellArmed(order);
    return { appliedKW: order.appliedKW, command: order.command, endsByItself: order.endsByItself };
  }

  /**
   * A timer is refreshed within a third of its time, so that two refreshes may be lost. A device without one is looked at
   * instead, and written only if it forgot; one that shows nothing is written again only after a reconnection.
   */
  #refreshAt({ spec }: ChosenControl, sinceMs: number): number {
    const rearmMs = rearmPeriodMs(spec);
    const periods = [
      ...(rearmMs === undefined ? [] : [rearmMs]),
      ...(spec.verify.readback ? [this.#profile.limits.slowPollMs] : []),
    ];
    return sinceMs + Math.max(Math.min(...periods, Number.POSITIVE_INFINITY) - TICK_MS, TICK_MS / 2);
  }

  async #run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#tick(signal);
      const { refreshAtMs = Number.POSITIVE_INFINITY, beatAtMs = Number.POSITIVE_INFINITY } = this.#hold ?? {};
      const nextMs = Math.max(Math.min(this.#fastAtMs, refreshAtMs, beatAtMs), this.#retryAtMs);
      try {
        await this.#clock.sleep(Math.min(Math.max(nextMs - this.#clock.elapsedMs(), 10), TICK_MS), signal);
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
      const wait = backoffMs(this.#failures, Math.min(this.#options.pollMs, TICK_MS), LONGEST_RETRY_MS, this.#random);
      this.#retryAtMs = this.#clock.elapsedMs() + wait;
      this.#failures += 1;
      this.#linkIsDown(error);
    }
  }

  async #watchLink(signal: AbortSignal): Promise<void> {
    if ((await this.#port.open(signal)) === this.#generation) return;
    await this.#commands.run(signal, () => this.#recognise(signal));
  }

  /**
   * A new connection may lead to a device that restarted, or to another one. Nothing is written before it is looked at; then
   * the order is given again.
   * @throws ProfileError if it is no device of the profile
   */
  async #recognise(signal: AbortSignal): Promise<void> {
    const generation = await this.#port.open(signal);
    if (generation === this.#generation) return;
    await this.#device.recheck(signal);
    this.#generation = generation;
    if (this.#hold !== undefined) this.#hold.refreshAtMs = this.#clock.elapsedMs();
  }

  async #keep(signal: AbortSignal): Promise<void> {
    const nowMs = this.#clock.elapsedMs();
    const hold = this.#hold;
    const isOver = hold !== undefined && nowMs >= hold.endsAtMs + END_GRACE_MS;
    const isDue = hold !== undefined && nowMs >= Math.min(hold.refreshAtMs, hold.beatAtMs) && nowMs < hold.endsAtMs;
    const mustRestore = hold === undefined && this.#device.touched && nowMs >= this.#restoreAtMs;
    if (!isOver && !isDue && !mustRestore) return;
    await this.#commands.run(signal, async () => {
      // An order may have come while this one waited for its turn.
      if (this.#hold !== hold) return;
      if (hold === undefined || isOver) await this.#restoreQuietly(signal);
      else await this.#refresh(hold, nowMs, signal);
    });
  }

  async #refresh(hold: Hold, nowMs: number, signal: AbortSignal): Promise<void> {
    const control = this.#device.facts?.control;
    if (control === undefined) return;
    const left = reversionS(control, hold.endsAtMs - nowMs);
    try {
      if (nowMs >= hold.refreshAtMs) {
        const mode = rearmPeriodMs(control.spec) === undefined ? "check" : "refresh";
        const order = await this.#device.hold(hold.target.powerKW, left, mode, signal);
        this.#tellArmed(order);
      }
      if (nowMs >= hold.beatAtMs) await this.#device.beat(left, signal);
    } catch (error) {
      const fault = this.#faultOf(error, signal, "refresh");
      // A broken link is the loop's matter, which comes back here. A device that says no is asked again at its time.
      if (!(fault instanceof DeviceError) || fault.fault !== "refused") throw error;
      this.#log.warn("device refused to go on with its target", { fault: fault.message });
    }
    if (nowMs >= hold.refreshAtMs) hold.refreshAtMs = this.#refreshAt(control, nowMs);
    if (nowMs >= hold.beatAtMs) hold.beatAtMs = beatAt(control, nowMs);
  }

  async #restoreQuietly(signal: AbortSignal): Promise<void> {
    this.#hold = undefined;
    try {
      await this.#device.restore(signal);
      this.#restoreFailures = 0;
      this.#tell(undefined);
    } catch (error) {
      const wait = backoffMs(this.#restoreFailures, TICK_MS, LONGEST_RETRY_MS, this.#random);
      this.#restoreAtMs = this.#clock.elapsedMs() + wait;
      this.#restoreFailures += 1;
      const fault = this.#faultOf(error, signal, "restore the baseline");
      if (!(fault instanceof DeviceError) || fault.fault !== "refused") throw error;
      this.#log.warn("device refused its own baseline", { fault: fault.message });
    }
  }

  async #measure(signal: AbortSignal): Promise<void> {
    const nowMs = this.#clock.elapsedMs();
    if (nowMs < this.#fastAtMs) return;
    this.#fastAtMs = nowMs + this.#options.pollMs;
    if (nowMs >= this.#anewAtMs) {
      this.#anewAtMs = nowMs + LOOK_ANEW_MS;
      this.#device.lookAnew();
    }
    if (nowMs >= this.#slowAtMs) {
      this.#slowAtMs = nowMs + this.#profile.limits.slowPollMs;
      await this.#device.poll("slow", signal);
      this.#noticeNewFacts();
    }
    await this.#device.poll("fast", signal);
    this.#linkIsUp("measured");
    const values = this.#device.measured();
    const reading = { era: this.era, receivedAtMs: this.#clock.now(), ...values };
    this.#reports.push({ kind: "reading", reading });
    const news = this.#capability && this.#availability.newsIn(values, this.#device.present(), this.#capability);
    if (news !== undefined) this.#reports.push({ kind: "availability", availability: news });
  }

  #noticeNewFacts(): void {
    try {
      this.#device.refreshFacts();
      const facts = this.#device.facts as ProfileFacts;
      const capability = capabilityFrom(this.#role.kind, facts, this.#options);
      if (JSON.stringify(capability) === JSON.stringify(this.#capability)) return;
      this.#capability = capability;
      this.#reports.push({ kind: "capability", capability });
    } catch (error) {
      if (!(error instanceof ProfileError)) throw error;
      // A device that sleeps does not state its rating; what it could do before still holds.
      this.#log.debug("device no longer states what it can do", { fault: error.message });
    }
  }

  #tellArmed({ armed }: ProfileOrder): void {
    this.#tell(armed ? undefined : "the device does not show that its own failsafe timer runs");
  }

  #tell(notice: string | undefined): void {
    if (notice === this.#notice) return;
    this.#notice = notice;
    this.#reports.push({ kind: "notices", notices: notice === undefined ? [] : [notice] });
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
    if (this.#life.signal.aborted) {
      return new DeviceError("unreachable", this.era, `${attempted}: the adapter is closed`);
    }
    if (error instanceof ProfileError) {
      return new DeviceError(error.fault, this.era, `${attempted}: ${error.message}`, { cause: error });
    }
    return deviceErrorFrom(error, this.era, attempted);
  }
}

function isWholeRewrite(heartbeat: NonNullable<ControlSpec["heartbeat"]>): boolean {
  return heartbeat.mode === "rewrite" && heartbeat.point === undefined;
}

/** When the device must hear its next heartbeat that is no whole sequence; infinite where it needs none. */
function beatAt({ spec: { heartbeat } }: ChosenControl, sinceMs: number): number {
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
function reversionS({ spec: { reversion } }: ChosenControl, leftMs: number): number {
  if (reversion === undefined) return 0;
  return Math.max(reversion.least, Math.min(reversion.seconds, Math.ceil(leftMs / 1000)));
}
