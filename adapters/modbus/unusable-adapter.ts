import { type Acceptance, type Adapter, DeviceError, type Report } from "../../src/model/adapter.ts";
import { ReportQueue } from "../../src/model/report-queue.ts";
import type { Capability, Era } from "../../src/model/resource.ts";

/** Stands for a device whose profile can't be used, so that the others go on; it says why each time it is asked. */
export class UnusableAdapter implements Adapter {
  readonly era: Era;
  readonly protocol = "modbus";
  readonly #why: string;
  readonly #reports = new ReportQueue();

  constructor(era: Era, why: string) {
    this.era = era;
    this.#why = why;
  }

  async start(): Promise<Capability> {
    throw new DeviceError("protocol", this.era, this.#why);
  }

  async apply(): Promise<Acceptance> {
    throw new DeviceError("protocol", this.era, this.#why);
  }

  async release(): Promise<void> {}

  reports(signal: AbortSignal): AsyncIterable<Report> {
    return this.#reports.read(signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}
