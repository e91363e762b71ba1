import { type Clock, DeadlineError } from "../../../src/clock.ts";
import type { Log } from "../../../src/log.ts";
import { type Acceptance, type Adapter, DeviceError, type Report, type Target } from "../../../src/model/adapter.ts";
import { ReportQueue } from "../../../src/model/report-queue.ts";
import type { Capability, Era, ResourceKind } from "../../../src/model/resource.ts";
import { basesFrom, capabilityFrom, NOTHING_SAID } from "../capability.ts";
import type { PushDevice } from "../config.ts";
import { controlDocument } from "../controls/control-document.ts";
import { type ControlEvent, ControlLedger } from "../controls/control-ledger.ts";
import { type ControlPower, controlPowerFromKW, describePower } from "../controls/control-power.ts";
import { newMRID } from "../identity.ts";
import { readingsFrom } from "../metering/meter-values.ts";
import { BodyTooLong } from "../server/request-body.ts";
import { readPem } from "../server/tls-files.ts";
import { BadDocument } from "../xml/xml-element.ts";
import { parseXml } from "../xml/xml-parse.ts";
import { writeXml } from "../xml/xml-write.ts";
import { exchange, type PushAnswer, type PushTls } from "./push-exchange.ts";
import { meterDocumentValues } from "./push-meter.ts";

const DEFAULT_SETTLE_MS = 10_000;
const REPLAY_AGE_MS = 60_000;

export interface PushDeviceOptions {
  readonly era: Era;
  readonly kind: ResourceKind;
  readonly device: PushDevice;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * A device that takes a PUT of a DERControl at an address of its own, as some head-ends do it. The standard has no such
 * method: there a device polls. What the device makes of the event's end is its own affair, but the event carries it.
 */
export class PushedDevice implements Adapter {
  readonly era: Era;
  readonly protocol = "ieee2030.5";
  readonly #options: PushDeviceOptions;
  readonly #device: PushDevice;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #ledger = new ControlLedger(newMRID);
  readonly #queue = new ReportQueue();
  readonly #closing = new AbortController();
  #tls: PushTls | undefined;
  #metering: Promise<void> | undefined;
  #linkUp: boolean | undefined;
  #accepted: ControlEvent | undefined;
  /** A cancelled event whose end the device has not taken yet. */
  #unreleased: ControlEvent | undefined;

  constructor(options: PushDeviceOptions) {
    this.era = options.era;
    this.#options = options;
    this.#device = options.device;
    this.#clock = options.clock;
    this.#log = options.log.child({ era: options.era });
  }

  async start(signal: AbortSignal): Promise<Capability> {
    this.#throwIfClosed();
    this.#tls ??= await tlsFrom(this.#device);
    if (this.#device.meterUrl !== undefined) {
      await this.#readMeter(signal);
      this.#metering ??= this.#keepReading();
    }
    return this.#capability();
  }

  async apply(target: Target, signal: AbortSignal): Promise<Acceptance> {
    signal.throwIfAborted();
    const nowMs = this.#clock.now();
    if (target.untilMs <= nowMs) {
      throw new DeviceError("refused", this.era, `not ordered: ${target.powerKW} kW has ended before it was sent`);
    }
    const power = this.#powerFor(target);
    // What the device accepted and does not follow comes as a new control, since it has answered the old one.
    const standing = target.correction ? undefined : this.#ledger.standing(power, target.untilMs, nowMs);
    const event = standing ?? this.#ledger.publish(target.setpointId, power, target.untilMs, nowMs);
    const command = `PUT DERControl ${event.mRID} ${describePower(power)} until ${new Date(event.endS * 1000).toISOString()}`;
    this.#accepted = undefined;
    await this.#put(event, command, signal);
    this.#accepted = event;
    return { appliedKW: power.appliedKW, command, endsByItself: true };
  }

  async release(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    this.#accepted = undefined;
    const cancelled = this.#ledger.cancel(this.#clock.now()) ?? this.#unreleased;
    if (cancelled === undefined || cancelled.endS * 1000 <= this.#clock.now()) return;
    this.#unreleased = cancelled;
    await this.#put(cancelled, `PUT the end of DERControl ${cancelled.mRID}`, signal);
    this.#unreleased = undefined;
  }

  /** What it was told and has not ended yet. */
  controls(): readonly ControlEvent[] {
    return this.#ledger.listed(this.#clock.now());
  }

  reports(signal: AbortSignal): AsyncIterable<Report> {
    return this.#queue.read(signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort(new Error("adapter closed"));
    await this.#metering;
  }

  #capability(): Capability {
    const { settleS, meterUrl, pollMs } = this.#device;
    const timing = {
      settleMs: settleS === undefined ? DEFAULT_SETTLE_MS : settleS * 1000,
      sampleMs: meterUrl === undefined ? DEFAULT_SETTLE_MS : pollMs,
    };
    const capability = capabilityFrom(this.#options.kind, this.#device, NOTHING_SAID, timing);
    if (capability === undefined) throw new DeviceError("protocol", this.era, "no ratingKW is configured");
    return capability;
  }

  #powerFor(target: Target): ControlPower {
    const bases = basesFrom(this.#options.kind, this.#device, NOTHING_SAID);
    try {
      return controlPowerFromKW(target.powerKW, this.#device.control, bases);
    } catch (cause) {
      if (!(cause instanceof RangeError)) throw cause;
      throw new DeviceError("refused", this.era, `not ordered: ${cause.message}`, { cause });
    }
  }

  async #put(event: ControlEvent, what: string, signal: AbortSignal): Promise<void> {
    const { deviceCategory } = this.#device;
    const body = writeXml(controlDocument(event, deviceCategory === undefined ? {} : { deviceCategory }));
    const { status } = await this.#ask({ method: "PUT", url: this.#device.url, body }, what, signal);
    if (status >= 200 && status < 300) return;
    if (status >= 400 && status < 500) throw new DeviceError("refused", this.era, `${what}: answered ${status}`);
    this.#throwOddStatus(status, what);
  }

  async #ask(
    wanted: { method: "GET" | "PUT"; url: string; body?: string },
    what: string,
    signal: AbortSignal,
  ): Promise<PushAnswer> {
    this.#throwIfClosed();
    const { deadlineMs } = this.#device;
    try {
      return await exchange(this.#clock, { ...wanted, tls: this.#tls ?? {}, deadlineMs }, signal);
    } catch (cause) {
      signal.throwIfAborted();
      if (cause instanceof DeadlineError) {
        throw new DeviceError("timeout", this.era, `${what}: no answer within ${deadlineMs} ms`, { cause });
      }
      const code = cause instanceof Error && "code" in cause ? String(cause.code) : "";
      // Codes of the HTTP parser: something is there, and it does not speak HTTP.
      const fault = code.startsWith("HPE_") || cause instanceof BodyTooLong ? "protocol" : "unreachable";
      throw new DeviceError(fault, this.era, `${what}: ${cause instanceof Error ? cause.message : String(cause)}`, {
        cause,
      });
    }
  }

  #throwOddStatus(status: number, what: string): never {
    if (status >= 500) throw new DeviceError("unreachable", this.era, `${what}: answered ${status}`);
    const hint = status >= 300 && status < 400 ? "; redirects are not followed, configure the new address" : "";
    throw new DeviceError("protocol", this.era, `${what}: answered ${status}${hint}`);
  }

  async #readMeter(signal: AbortSignal): Promise<void> {
    const url = this.#device.meterUrl;
    if (url === undefined) return;
    const { status, body } = await this.#ask({ method: "GET", url }, "GET meter", signal);
    if (status === 404 || status === 403 || status === 401) {
      throw new DeviceError("refused", this.era, `GET meter: answered ${status}`);
    }
    if (status !== 200) this.#throwOddStatus(status, "GET meter");
    try {
      const values = meterDocumentValues(parseXml(body));
      const readings = readingsFrom(values, {
        era: this.era,
        receivedAtMs: this.#clock.now(),
        replayedAfterMs: REPLAY_AGE_MS,
        powerPhases: 0,
      });
      for (const reading of readings) this.#queue.push({ kind: "reading", reading });
    } catch (cause) {
      if (!(cause instanceof BadDocument)) throw cause;
      throw new DeviceError("protocol", this.era, `GET meter: ${cause.message}`, { cause });
    }
    this.#setLink(true, `answers at ${url}`);
  }

  /** Reads the meter until closed. A device that was away may have started anew, so it gets its event once more. */
  async #keepReading(): Promise<void> {
    const { signal } = this.#closing;
    while (!signal.aborted) {
      try {
        await this.#clock.sleep(this.#device.pollMs, signal);
        const wasUp = this.#linkUp !== false;
        await this.#readMeter(signal);
        if (!wasUp) await this.#putAgain(signal);
      } catch (error) {
        if (signal.aborted) return;
        const detail = error instanceof Error ? error.message : String(error);
        if (error instanceof DeviceError) this.#setLink(false, detail);
        else this.#log.error("reading a pushed 2030.5 device failed", { err: error });
      }
    }
  }

  async #putAgain(signal: AbortSignal): Promise<void> {
    const event = this.#accepted;
    if (event === undefined || event.endS * 1000 <= this.#clock.now()) return;
    await this.#put(event, `PUT DERControl ${event.mRID} again`, signal);
  }

  #setLink(up: boolean, detail: string): void {
    if (this.#linkUp === up) return;
    this.#linkUp = up;
    this.#queue.push({ kind: "link", up, detail });
  }

  #throwIfClosed(): void {
    if (this.#closing.signal.aborted) throw new DeviceError("unreachable", this.era, "the adapter is closed");
  }
}

/** @throws Error that names the key and the file */
async function tlsFrom(device: PushDevice): Promise<PushTls> {
  const { certFile, keyFile, caFile } = device;
  return {
    ...(certFile === undefined ? {} : { cert: await readPem("ieee2030_5_push.certFile", certFile) }),
    ...(keyFile === undefined ? {} : { key: await readPem("ieee2030_5_push.keyFile", keyFile) }),
    ...(caFile === undefined ? {} : { ca: await readPem("ieee2030_5_push.caFile", caFile) }),
  };
}
