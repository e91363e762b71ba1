import type { Clock } from "../../../src/clock.ts";
import { type Acceptance, type Adapter, DeviceError, type Report, type Target } from "../../../src/model/adapter.ts";
import type { Capability, Era } from "../../../src/model/resource.ts";
import { DeviceLoop } from "../../device-loop.ts";
import type { AdapterContext, DeviceRole } from "../../kind.ts";
import type { DeviceOptions } from "./control-range.ts";
import type { ProfileTimes } from "./profile-capability.ts";
import { ProfileControl, type ProfileKeeping } from "./profile-control.ts";
import { ProfileDevice } from "./profile-device.ts";
import { faultFrom, ProfileKeeper } from "./profile-keeper.ts";
import { ProfileReports } from "./profile-reports.ts";
import type { Profile } from "./profile-schema.ts";
import type { UnitPort } from "./unit-port.ts";

/** A device may get points that it did not have, with an update. */
const LOOK_ANEW_MS = 600_000;

/** One device that a profile describes: a loop that watches the link, keeps the target and measures. */
export class ProfileAdapter implements Adapter {
  readonly era: Era;
  readonly protocol: string;
  readonly #slowMs: number;
  readonly #pollMs: number;
  readonly #clock: Clock;
  readonly #port: UnitPort;
  readonly #device: ProfileDevice;
  readonly #control: ProfileControl;
  readonly #keeper: ProfileKeeper;
  readonly #reports: ProfileReports;
  readonly #loop: DeviceLoop;
  #generation = 0;
  #fastAtMs = 0;
  #slowAtMs = 0;
  #anewAtMs = 0;

  constructor(
    role: DeviceRole,
    profile: Profile,
    port: UnitPort,
    options: DeviceOptions & ProfileTimes,
    context: AdapterContext,
    keeping: Omit<ProfileKeeping, "clock">,
  ) {
    const { clock, random } = context;
    const log = context.log.child({ era: role.era, adapter: "modbus", profile: profile.id });
    this.era = role.era;
    this.protocol = `modbus:${profile.id}`;
    this.#pollMs = options.pollMs;
    this.#slowMs = profile.limits.slowPollMs;
    this.#clock = clock;
    this.#port = port;
    this.#device = new ProfileDevice(port, profile, options);
    this.#control = new ProfileControl(port, this.#device, { ...keeping, clock });
    this.#reports = new ProfileReports(role, options, { clock, log });
    this.#keeper = new ProfileKeeper({
      era: role.era,
      control: this.#control,
      chosen: () => this.#device.facts?.control,
      lookMs: this.#slowMs,
      clock,
      log,
      random,
      recognise: (signal) => this.#recognise(signal),
      onOrder: (order) => this.#reports.noticeArming(order?.armed ?? true),
    });
    this.#loop = new DeviceLoop({
      era: role.era,
      pollMs: options.pollMs,
      clock,
      random,
      nextMs: () => Math.min(this.#fastAtMs, this.#keeper.nextMs),
      round: (signal) => this.#round(signal),
      onFailure: (error) => this.#reports.linkIsDown(error),
      faultFrom,
    });
  }

  async start(signal: AbortSignal): Promise<Capability> {
    if (this.#loop.hasBegun && this.#reports.capability !== undefined) return this.#reports.capability;
    return await this.#loop.asked(signal, "start", async (inner) => {
      this.#generation = await this.#port.open(inner);
      const capability = this.#reports.begin(await this.#device.discover(inner));
      const nowMs = this.#clock.elapsedMs();
      this.#fastAtMs = nowMs;
      this.#slowAtMs = nowMs + this.#slowMs;
      this.#anewAtMs = nowMs + LOOK_ANEW_MS;
      this.#keeper.started();
      this.#loop.begin();
      return capability;
    });
  }

  apply(target: Target, signal: AbortSignal): Promise<Acceptance> {
    return this.#loop.asked(signal, `hold ${target.powerKW} kW`, async (inner) => {
      const { capability } = this.#reports;
      if (capability === undefined) throw new DeviceError("unreachable", this.era, "not started yet");
      return await this.#keeper.apply(target, capability, inner);
    });
  }

  release(signal: AbortSignal): Promise<void> {
    return this.#loop.asked(signal, "release", (inner) => this.#keeper.release(inner));
  }

  reports(signal: AbortSignal): AsyncIterable<Report> {
    return this.#reports.read(signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#loop.close();
  }

  async #round(signal: AbortSignal): Promise<void> {
    if ((await this.#port.open(signal)) !== this.#generation) {
      await this.#keeper.alone(signal, () => this.#recognise(signal));
    }
    await this.#keeper.tick(signal);
    await this.#measure(signal);
  }

  /**
   * A new connection may lead to a device that restarted, or to another one. Nothing is written before it is looked at; then
   * the order is given again.
   * @throws ProfileError if it is no device of the profile
   */
  async #recognise(signal: AbortSignal): Promise<void> {
    const generation = await this.#port.open(signal);
    if (generation === this.#generation) return;
    this.#control.forgetLast();
    await this.#device.discover(signal);
    this.#generation = generation;
    this.#keeper.reassert();
  }

  async #measure(signal: AbortSignal): Promise<void> {
    const nowMs = this.#clock.elapsedMs();
    if (nowMs < this.#fastAtMs) return;
    this.#fastAtMs = nowMs + this.#pollMs;
    if (nowMs >= this.#anewAtMs) {
      this.#anewAtMs = nowMs + LOOK_ANEW_MS;
      this.#device.lookAnew();
    }
    if (nowMs >= this.#slowAtMs) {
      this.#slowAtMs = nowMs + this.#slowMs;
      await this.#device.poll("slow", signal);
      this.#reports.noticeFacts(this.#device);
    }
    await this.#device.poll("fast", signal);
    this.#reports.measured(this.#device);
  }
}
