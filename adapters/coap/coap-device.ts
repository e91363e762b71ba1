import type { Clock } from "../../src/clock.ts";
import type { Log } from "../../src/log.ts";
import { type Acceptance, type Adapter, DeviceError, type Report, type Target } from "../../src/model/adapter.ts";
import type { Capability, Era } from "../../src/model/resource.ts";
import { DeviceLoop } from "../device-loop.ts";
import type { AdapterContext, DeviceRole } from "../kind.ts";
import type { WriteBudget } from "../wear/write-budget.ts";
import { BaselineMemory } from "./baseline-memory.ts";
import { deviceErrorFrom } from "./device-error.ts";
import { DeviceReports, type DeviceTimes } from "./device-reports.ts";
import { CoapError } from "./link/coap-error.ts";
import type { CoapLink } from "./link/coap-link.ts";
import { Observations } from "./observations.ts";
import { ProfileDevice } from "./profile/profile-device.ts";
import type { Profile } from "./profile/profile-schema.ts";
import { ProfileControl } from "./profile-control.ts";
import { TargetKeeper } from "./target-keeper.ts";

/** A device may get resources that it did not have, with an update. */
const LOOK_ANEW_MS = 600_000;
/** What is said unasked more often than this is not listened to: anybody on the network may speak. */
const LEAST_BETWEEN_MS = 100;

/** One CoAP device that a profile describes: a loop that watches the link, keeps the target and measures. */
export class CoapDevice implements Adapter {
  readonly era: Era;
  readonly protocol: string;
  readonly #pollMs: number;
  readonly #slowMs: number;
  readonly #clock: Clock;
  readonly #link: CoapLink;
  readonly #device: ProfileDevice;
  readonly #keeper: TargetKeeper;
  readonly #observations: Observations;
  readonly #reports: DeviceReports;
  readonly #loop: DeviceLoop;
  readonly #log: Log;
  /** Elapsed ms at which a resource was last heard of unasked. */
  readonly #heardAtMs = new Map<string, number>();
  #listenFromMs = 0;
  /** True after the device was away: nothing is written before it was looked at. */
  #isStrange = false;
  #fastAtMs = 0;
  #slowAtMs = 0;
  #anewAtMs = 0;

  constructor(
    role: DeviceRole,
    profile: Profile,
    link: CoapLink,
    times: Omit<DeviceTimes, "sampleMs"> & { readonly pollMs: number },
    budget: WriteBudget,
    context: AdapterContext,
  ) {
    const { clock, random, memory } = context;
    const log = context.log.child({ era: role.era, adapter: "coap", profile: profile.id });
    this.#log = log;
    this.era = role.era;
    this.protocol = `coap:${profile.id}`;
    this.#pollMs = times.pollMs;
    this.#slowMs = profile.limits.slowPollMs;
    this.#clock = clock;
    this.#link = link;
    this.#device = new ProfileDevice(link, profile, times.ratingKW);
    this.#reports = new DeviceReports(role, { ...times, sampleMs: sampleMsOf(profile, times.pollMs) }, { clock, log });
    this.#observations = new Observations(link, this.#device, clock, {
      news: () => this.#reports.measured(this.#device),
      fault: (error) => this.#reports.linkIsDown(error),
    });
    this.#keeper = new TargetKeeper({
      era: role.era,
      control: new ProfileControl(link, this.#device, {
        baseline: new BaselineMemory(memory, role.era),
        budget,
        clock,
      }),
      chosen: () => this.#device.facts?.control?.spec,
      lookMs: profile.limits.checkMs,
      clock,
      log,
      random,
      recognise: (signal) => this.#recognise(signal),
    });
    this.#loop = new DeviceLoop({
      era: role.era,
      pollMs: times.pollMs,
      clock,
      random,
      nextMs: () => Math.min(this.#fastAtMs, this.#keeper.nextMs),
      round: (signal) => this.#round(signal),
      onFailure: (error) => {
        this.#isStrange = true;
        this.#reports.linkIsDown(error);
      },
      faultFrom: deviceErrorFrom,
    });
  }

  async start(signal: AbortSignal): Promise<Capability> {
    if (this.#loop.hasBegun && this.#reports.capability !== undefined) return this.#reports.capability;
    return await this.#loop.asked(signal, "start", async (inner) => {
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

  /** Where it was reached last. */
  get address(): string | undefined {
    return this.#link.address;
  }

  /**
   * Takes what it says unasked as a reading, while all is well: one that was away is looked at first.
   * @param path of the resource whose payload this is
   */
  async hear(path: string, payload: Buffer): Promise<void> {
    if (!this.#loop.hasBegun || this.#isStrange) return;
    const { profile, reader } = this.#device;
    const found = Object.entries(profile.resources).find(([, spec]) => spec.announced && spec.path === path);
    if (found === undefined) return;
    const [name] = found;
    const nowMs = this.#clock.elapsedMs();
    if (nowMs < this.#listenFromMs) return;
    this.#listenFromMs = nowMs + LEAST_BETWEEN_MS;
    try {
      await reader.take(name, { code: "2.05", contentFormat: undefined, payload });
    } catch (error) {
      if (!(error instanceof CoapError)) throw error;
      this.#log.debug("a status makes no sense", { fault: error.message });
      return;
    }
    this.#heardAtMs.set(name, nowMs);
    this.#reports.measured(this.#device);
  }

  reports(signal: AbortSignal): AsyncIterable<Report> {
    return this.#reports.read(signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closing = this.#loop.close();
    this.#observations.stop();
    this.#link.close();
    await closing;
  }

  async #round(signal: AbortSignal): Promise<void> {
    await this.#recognise(signal);
    await this.#keeper.tick(signal);
    await this.#measure(signal);
  }

  /**
   * What answers after an outage may have restarted, or be another device: it is looked at before anything is written, and
   * then gets its order again.
   * @throws CoapError if it is no device of the profile
   */
  async #recognise(signal: AbortSignal): Promise<void> {
    if (!this.#isStrange) return;
    this.#observations.stop();
    this.#reports.noticeFacts(await this.#device.discover(signal));
    this.#isStrange = false;
    this.#keeper.reassert();
  }

  async #measure(signal: AbortSignal): Promise<void> {
    const nowMs = this.#clock.elapsedMs();
    if (nowMs < this.#fastAtMs) return;
    this.#fastAtMs = nowMs + this.#pollMs;
    if (nowMs >= this.#anewAtMs) {
      this.#anewAtMs = nowMs + LOOK_ANEW_MS;
      await this.#device.discover(signal);
    }
    let isFresh = await this.#observations.renew(signal);
    // What was just heard need not be asked.
    const isHeard = (resource: string) => nowMs - (this.#heardAtMs.get(resource) ?? -this.#pollMs) < this.#pollMs;
    const isTold = (resource: string) => this.#observations.isTold(resource) || isHeard(resource);
    if (nowMs >= this.#slowAtMs) {
      this.#slowAtMs = nowMs + this.#slowMs;
      isFresh = (await this.#device.poll("slow", isTold, signal)) || isFresh;
      this.#reports.noticeFacts(this.#device.refreshFacts());
    }
    isFresh = (await this.#device.poll("fast", isTold, signal)) || isFresh;
    // What nobody said anew is no reading of now.
    if (isFresh) this.#reports.measured(this.#device);
  }
}

/** A device that tells changes says nothing while there are none. */
function sampleMsOf({ resources, limits }: Profile, pollMs: number): number {
  const isTold = Object.values(resources).some(({ observe, poll }) => observe && poll === "fast");
  return isTold ? Math.max(limits.quietMs, pollMs) : pollMs;
}
