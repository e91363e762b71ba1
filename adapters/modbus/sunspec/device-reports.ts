import type { Clock } from "../../../src/clock.ts";
import type { Log } from "../../../src/log.ts";
import type { Report } from "../../../src/model/adapter.ts";
import { ReportQueue } from "../../../src/model/report-queue.ts";
import type { Capability } from "../../../src/model/resource.ts";
import type { DeviceRole } from "../../kind.ts";
import { AvailabilityWatch } from "./availability.ts";
import { capabilityOf, rangeOf } from "./capability.ts";
import type { DeviceControl } from "./device-control.ts";
import type { Sample } from "./measurement.ts";
import type { Facts } from "./sunspec-device.ts";

export interface DeviceReportsParts {
  readonly role: DeviceRole;
  readonly control: DeviceControl;
  /** Elapsed ms from a command until the meter is expected to show it. */
  readonly settleMs: number;
  /** Elapsed ms between two readings. */
  readonly sampleMs: number;
  readonly clock: Clock;
  readonly log: Log;
}

/** Tells the core what is news: each reading, and all else when it has changed. */
export class DeviceReports {
  readonly #parts: DeviceReportsParts;
  readonly #queue = new ReportQueue();
  readonly #availability: AvailabilityWatch;
  #capability: Capability | undefined;
  #capabilityText = "";
  #notices = "[]";
  #isUp = false;

  constructor(parts: DeviceReportsParts) {
    this.#parts = parts;
    this.#availability = new AvailabilityWatch(parts.role.era, parts.role.kind);
  }

  get capability(): Capability | undefined {
    return this.#capability;
  }

  read(signal: AbortSignal): AsyncIterable<Report> {
    return this.#queue.read(signal);
  }

  /** What the device can do at the start, which the core gets as the answer to it. @throws DeviceError */
  begin(facts: Facts): Capability {
    const capability = this.#capabilityOf(facts);
    this.#capability = capability;
    this.#capabilityText = JSON.stringify(capability);
    this.linkIsUp("connected");
    return capability;
  }

  sampled(sample: Sample, facts: Facts): void {
    const { role, clock } = this.#parts;
    this.linkIsUp("answers again");
    this.#noticeCapability(facts);
    this.#queue.push({
      kind: "reading",
      reading: { era: role.era, receivedAtMs: clock.now(), ...sample.values },
    });
    const range = rangeOf(role.kind, facts);
    const availability = range && this.#availability.newsIn(sample, range);
    if (availability !== undefined) this.#queue.push({ kind: "availability", availability });
    this.#noticeNotices(sample);
  }

  linkIsUp(detail: string): void {
    if (this.#isUp) return;
    this.#isUp = true;
    this.#parts.log.info("device is reachable", { detail });
    this.#queue.push({ kind: "link", up: true, detail });
  }

  linkIsDown(error: unknown): void {
    const detail = error instanceof Error ? error.message : String(error);
    if (!this.#isUp) {
      this.#parts.log.debug("device still does not answer", { detail });
      return;
    }
    this.#isUp = false;
    this.#parts.log.warn("device does not answer", { detail });
    this.#queue.push({ kind: "link", up: false, detail });
  }

  #noticeCapability(facts: Facts): void {
    try {
      const capability = this.#capabilityOf(facts);
      const text = JSON.stringify(capability);
      if (text === this.#capabilityText) return;
      this.#capability = capability;
      this.#capabilityText = text;
      this.#queue.push({ kind: "capability", capability });
    } catch (error) {
      // A device that woke up without its ratings keeps the capability that it had.
      this.#parts.log.debug("device no longer states what it can do", { fault: String(error) });
    }
  }

  #noticeNotices(sample: Sample): void {
    const notices = [
      ...(sample.isFaulty ? ["the device says that it is in its fault state"] : []),
      ...this.#parts.control.notices(),
    ];
    const text = JSON.stringify(notices);
    if (text === this.#notices) return;
    this.#notices = text;
    this.#queue.push({ kind: "notices", notices });
  }

  #capabilityOf(facts: Facts): Capability {
    const { role, control, settleMs, sampleMs } = this.#parts;
    return capabilityOf(role.era, role.kind, facts, control.failsafe(facts), { settleMs, sampleMs });
  }
}
