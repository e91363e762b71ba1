import type { Clock } from "../../../src/clock.ts";
import type { Log } from "../../../src/log.ts";
import type { Report } from "../../../src/model/adapter.ts";
import { ReportQueue } from "../../../src/model/report-queue.ts";
import type { Capability } from "../../../src/model/resource.ts";
import type { DeviceRole } from "../../kind.ts";
import { ProfileAvailability } from "./profile-availability.ts";
import { capabilityFrom, type ProfileTimes } from "./profile-capability.ts";
import type { ProfileDevice, ProfileFacts } from "./profile-device.ts";
import { ProfileError } from "./profile-error.ts";

/** Tells the core what is news: each reading, and all else when it has changed. */
export class ProfileReports {
  readonly #role: DeviceRole;
  readonly #times: ProfileTimes;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #queue = new ReportQueue();
  readonly #availability: ProfileAvailability;
  #capability: Capability | undefined;
  #isUp = false;
  #notice: string | undefined;

  constructor(role: DeviceRole, times: ProfileTimes, parts: { readonly clock: Clock; readonly log: Log }) {
    this.#role = role;
    this.#times = times;
    this.#clock = parts.clock;
    this.#log = parts.log;
    this.#availability = new ProfileAvailability(role.era, role.kind);
  }

  get capability(): Capability | undefined {
    return this.#capability;
  }

  read(signal: AbortSignal): AsyncIterable<Report> {
    return this.#queue.read(signal);
  }

  /** What the device can do at the start, which the core gets as the answer to it. */
  begin(facts: ProfileFacts): Capability {
    this.#capability = capabilityFrom(this.#role.kind, facts, this.#times);
    this.linkIsUp("connected");
    return this.#capability;
  }

  measured(device: ProfileDevice): void {
    this.linkIsUp("answers again");
    const values = device.measured();
    const reading = { era: this.#role.era, receivedAtMs: this.#clock.now(), ...values };
    this.#queue.push({ kind: "reading", reading });
    const availability = this.#capability && this.#availability.newsIn(values, device.present(), this.#capability);
    if (availability !== undefined) this.#queue.push({ kind: "availability", availability });
  }

  /** An installer may have set another rating. */
  noticeFacts(device: ProfileDevice): void {
    try {
      device.refreshFacts();
      const capability = capabilityFrom(this.#role.kind, device.known(), this.#times);
      if (JSON.stringify(capability) === JSON.stringify(this.#capability)) return;
      this.#capability = capability;
      this.#queue.push({ kind: "capability", capability });
    } catch (error) {
      if (!(error instanceof ProfileError)) throw error;
      // A device that sleeps does not state its rating; what it could do before still holds.
      this.#log.debug("device no longer states what it can do", { fault: error.message });
    }
  }

  /** @param isArmed false if the device does not show that its timer runs */
  noticeArming(isArmed: boolean): void {
    const notice = isArmed ? undefined : "the device does not show that its own failsafe timer runs";
    if (notice === this.#notice) return;
    this.#notice = notice;
    this.#queue.push({ kind: "notices", notices: notice === undefined ? [] : [notice] });
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
}
