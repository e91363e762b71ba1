import type { Clock } from "../../src/clock.ts";
import type { Log } from "../../src/log.ts";
import type { Report } from "../../src/model/adapter.ts";
import { definedOnly } from "../../src/model/defined-only.ts";
import type { Availability } from "../../src/model/reading.ts";
import { ReportQueue } from "../../src/model/report-queue.ts";
import type { Capability } from "../../src/model/resource.ts";
import type { DeviceRole } from "../kind.ts";
import { availabilityOf, isNews } from "./availability.ts";
import type { DeviceFacts, ProfileDevice } from "./profile/profile-device.ts";

/** What the config says of a device's times and size. */
export interface DeviceTimes {
  /** Seconds from a command until the meter shows it; else the profile's. */
  readonly settleS?: number | undefined;
  /** Elapsed ms between two readings when all is well. */
  readonly sampleMs: number;
  readonly ratingKW?: number | undefined;
}

const SETTLE_S = 6;

/** Tells the core what is news: each reading, and all else when it has changed. */
export class DeviceReports {
  readonly #role: DeviceRole;
  readonly #times: DeviceTimes;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #queue = new ReportQueue();
  #capability: Capability | undefined;
  #availability: Availability | undefined;
  #isUp = false;

  constructor(role: DeviceRole, times: DeviceTimes, parts: { readonly clock: Clock; readonly log: Log }) {
    this.#role = role;
    this.#times = times;
    this.#clock = parts.clock;
    this.#log = parts.log;
  }

  /** What the device can do; undefined until it was looked at. */
  get capability(): Capability | undefined {
    return this.#capability;
  }

  read(signal: AbortSignal): AsyncIterable<Report> {
    return this.#queue.read(signal);
  }

  /** What the device can do at the start, which the core gets as the answer to it. */
  begin(facts: DeviceFacts): Capability {
    this.#capability = this.#capabilityFrom(facts);
    this.linkIsUp("connected");
    return this.#capability;
  }

  measured(device: ProfileDevice): void {
    this.linkIsUp("answers again");
    const { era, kind } = this.#role;
    const values = device.measured();
    this.#queue.push({ kind: "reading", reading: { era, receivedAtMs: this.#clock.now(), ...values } });
    const band = this.#capability;
    if (band === undefined) return;
    const now = availabilityOf(era, kind, band, values, device.present());
    if (now === undefined || !isNews(this.#availability, now, band.maxPowerKW - band.minPowerKW)) return;
    this.#availability = now;
    this.#queue.push({ kind: "availability", availability: now });
  }

  /** An installer may have set another rating. */
  noticeFacts(facts: DeviceFacts): void {
    const capability = this.#capabilityFrom(facts);
    if (JSON.stringify(capability) === JSON.stringify(this.#capability)) return;
    this.#capability = capability;
    this.#queue.push({ kind: "capability", capability });
  }

  linkIsUp(detail: string): void {
    if (this.#isUp) return;
    this.#isUp = true;
    this.#log.info("device is reachable", { detail });
    this.#queue.push({ kind: "link", up: true, detail });
  }

  linkIsDown(error: unknown): void {
    const detail = error instanceof Error ? error.message : String(error);
    if (!this.#isUp) {
      this.#log.debug("device still does not answer", { detail });
      return;
    }
    this.#isUp = false;
    this.#log.warn("device does not answer", { detail });
    this.#queue.push({ kind: "link", up: false, detail });
  }

  #capabilityFrom({ control, identity, capacityKWh }: DeviceFacts): Capability {
    const { settleS = control?.spec.verify.effect?.settleS ?? SETTLE_S, sampleMs, ratingKW = 0 } = this.#times;
    const common = {
      settleMs: settleS * 1000,
      sampleMs,
      identity,
      ...definedOnly<Pick<Capability, "capacityKWh">>({ capacityKWh }),
    };
    if (control !== undefined) {
      const { generationW, consumptionW, leastW } = control.range;
      return {
        minPowerKW: 0 - consumptionW / 1000,
        maxPowerKW: generationW / 1000,
        control: control.spec.kind,
        failsafe: control.spec.failsafe,
        ...(leastW > 0 ? { minRunKW: leastW / 1000 } : {}),
        ...common,
      };
    }
    // A device that is only measured goes as far as the config says, or stands still.
    const { kind } = this.#role;
    const minPowerKW = kind === "solar" ? 0 : 0 - ratingKW;
    const maxPowerKW = kind === "charger" || kind === "load" ? 0 : ratingKW;
    return { minPowerKW, maxPowerKW, control: "limit", failsafe: "none", ...common };
  }
}
