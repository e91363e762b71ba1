import {
  type Acceptance,
  type Adapter,
  DeviceError,
  type DeviceFault,
  type Evidence,
  type Target,
} from "../../src/model/adapter.ts";
import type { Limit } from "../../src/model/limit.ts";
import type { Availability } from "../../src/model/reading.ts";
import { ReportQueue } from "../../src/model/report-queue.ts";
import type { Capability } from "../../src/model/resource.ts";

/** An adapter without a protocol: a story decides what its device does. */
export class HandAdapter implements Adapter {
  readonly era: string;
  readonly protocol = "hand";
  readonly targets: Target[] = [];
  releases = 0;
  /** What the device says to the next commands; absent: it accepts. */
  fault: DeviceFault | undefined;
  /** True: the device does not answer until the call is aborted. */
  hangs = false;
  /** True: start fails. */
  absent = false;
  /** What the device says of itself when it is asked; absent: it can't say. */
  evidence: Evidence | undefined;
  readonly capability: Capability;
  readonly #reports = new ReportQueue();
  readonly #stepKW: number | undefined;

  /** @param stepKW what the device can tell apart, kW: it rounds down to that; absent: any power */
  constructor(era: string, capability: Partial<Capability> = {}, stepKW?: number) {
    this.era = era;
    this.#stepKW = stepKW;
    this.capability = {
      minPowerKW: -11,
      maxPowerKW: 0,
      control: "limit",
      failsafe: "device",
      settleMs: 2_000,
      sampleMs: 1_000,
      ...capability,
    };
  }

  async start(): Promise<Capability> {
    if (this.absent) throw new DeviceError("unreachable", this.era, "nobody is there");
    return this.capability;
  }

  async apply(target: Target, signal: AbortSignal): Promise<Acceptance> {
    this.targets.push(target);
    if (this.hangs) {
      await new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason), { once: true }));
    }
    if (this.fault) throw new DeviceError(this.fault, this.era, `answered ${this.fault}`);
    const step = this.#stepKW;
    const appliedKW = step === undefined ? target.powerKW : Math.trunc(target.powerKW / step) * step;
    return { appliedKW, command: `hold ${target.powerKW}`, endsByItself: true };
  }

  async release(): Promise<void> {
    this.releases += 1;
  }

  async probe(): Promise<Evidence> {
    if (this.evidence === undefined) throw new DeviceError("refused", this.era, "says nothing of itself");
    return this.evidence;
  }

  /** What the device could do now. */
  could(availability: Omit<Availability, "era">): void {
    this.#reports.push({ kind: "availability", availability: { era: this.era, ...availability } });
  }

  /** The device keeps its target by another amount than it accepted. */
  appliedInstead(setpointId: string, appliedKW: number): void {
    const acceptance = { appliedKW, command: `hold ${appliedKW}`, endsByItself: true };
    this.#reports.push({ kind: "applied", setpointId, acceptance });
  }

  notice(...notices: readonly string[]): void {
    this.#reports.push({ kind: "notices", notices });
  }

  reports(signal: AbortSignal) {
    return this.#reports.read(signal);
  }

  measure(
    powerKW: number,
    nowMs: number,
    extra: { replayed?: true; deviceTimeMs?: number; offeredKW?: number } = {},
  ): void {
    this.#reports.push({ kind: "reading", reading: { era: this.era, receivedAtMs: nowMs, powerKW, ...extra } });
  }

  /** Another master of the device sets its bounds. */
  bound(limits: readonly Limit[]): void {
    this.#reports.push({ kind: "limits", limits });
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}
