import { type Acceptance, type Adapter, DeviceError, type Report } from "../src/model/adapter.ts";
import { ReportQueue } from "../src/model/report-queue.ts";
import type { Capability, Era } from "../src/model/resource.ts";

/** In the place of a device whose profile or key file is wrong: it says so whenever it is asked, and the others go on. */
export class UnusableAdapter implements Adapter {
  readonly era: Era;
  readonly protocol: string;
  readonly #fault: DeviceError;
  readonly #reports = new ReportQueue();

  constructor(era: Era, protocol: string, cause: Error) {
    this.era = era;
    this.protocol = protocol;
    this.#fault = new DeviceError("protocol", era, cause.message, { cause });
  }

  start(): Promise<Capability> {
    return Promise.reject(this.#fault);
  }

  apply(): Promise<Acceptance> {
    return Promise.reject(this.#fault);
  }

  async release(): Promise<void> {}

  reports(signal: AbortSignal): AsyncIterable<Report> {
    return this.#reports.read(signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}
