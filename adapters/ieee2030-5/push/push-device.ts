import type { Clock } from "../../../src/clock.ts";
import type { Log } from "../../../src/log.ts";
import { type Acceptance, type Adapter, DeviceError, type Report, type Target } from "../../../src/model/adapter.ts";
import { ReportQueue } from "../../../src/model/report-queue.ts";
import type { Capability, Era, ResourceKind } from "../../../src/model/resource.ts";
import type { AdapterMemory } from "../../kind.ts";
import { basesFrom, capabilityFrom, NOTHING_SAID } from "../capability.ts";
import type { PushDevice } from "../config.ts";
import { type ControlEvent, ControlLedger } from "../controls/control-ledger.ts";
import { type ControlPower, controlPowerFromKW, describePower } from "../controls/control-power.ts";
import { newMRID } from "../identity.ts";
import { readingsFrom } from "../metering/meter-values.ts";
import { readKeyPem, readPem } from "../server/tls-files.ts";
import { BadDocument } from "../xml/xml-element.ts";
import { parseXml } from "../xml/xml-parse.ts";
import { GiveBack, RETRY_MS } from "./give-back.ts";
import { PostControl } from "./post-control.ts";
import type { PushTls } from "./push-exchange.ts";
import { PushLink } from "./push-link.ts";
import { meterDocumentValues } from "./push-meter.ts";
import type { PushWay } from "./push-way.ts";
import { PutControl } from "./put-control.ts";
import { PutDefault } from "./put-default.ts";

const DEFAULT_SETTLE_MS = 10_000;
const REPLAY_AGE_MS = 60_000;
/** How long a setpoint that goes on after a restart is waited for. */
const LEFT_OVER_MS = 30_000;

export interface PushDeviceOptions {
  readonly era: Era;
  readonly kind: ResourceKind;
  readonly device: PushDevice;
  readonly clock: Clock;
  readonly log: Log;
  readonly memory: AdapterMemory;
}

/**
 * A device that is told at an address of its own instead of polling: a head-end, or a server whose lists others may write.
 * What the device makes of an event's end is its own affair, but the event carries it.
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
  readonly #giveBack: GiveBack;
  #link: PushLink | undefined;
  #way: PushWay | undefined;
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
    this.#giveBack = new GiveBack(this.#clock, this.#log, async (signal) => {
      this.#accepted = undefined;
      await this.#way?.takeBack(undefined, signal);
    });
  }

  async start(signal: AbortSignal): Promise<Capability> {
    this.#throwIfClosed();
    const link = await this.#open();
    if (this.#device.meterUrl !== undefined) {
      await this.#readMeter(link, signal);
      this.#metering ??= this.#keepReading(link);
    }
    // Left over from before a restart: a setpoint that goes on will take it up, else nothing would ever end it.
    if (this.#way?.holds() === true && this.#accepted === undefined) this.#giveBack.in(LEFT_OVER_MS);
    return this.#capability();
  }

  async apply(target: Target, signal: AbortSignal): Promise<Acceptance> {
    signal.throwIfAborted();
    this.#throwIfClosed();
    const nowMs = this.#clock.now();
    if (target.untilMs <= nowMs) {
      throw new DeviceError("refused", this.era, `not ordered: ${target.powerKW} kW has ended before it was sent`);
    }
    const power = this.#powerFor(target);
    const way = await this.#openWay();
    // What the device accepted and does not follow comes as a new control, since it has answered the old one.
    const standing = target.correction ? undefined : this.#ledger.standing(power, target.untilMs, nowMs);
    const event = standing ?? this.#ledger.publish(target.setpointId, power, target.untilMs, nowMs);
    const until = new Date(event.endS * 1000).toISOString();
    const command = `${way.verb} ${event.mRID} ${describePower(power)} until ${until}`;
    this.#accepted = undefined;
    await this.#giveBack.cancel();
    try {
      await way.send(event, command, signal);
      this.#accepted = event;
    } finally {
      if (way.holds() && !this.#closing.signal.aborted) this.#giveBack.in(event.endS * 1000 - this.#clock.now());
    }
    return { appliedKW: power.appliedKW, command, endsByItself: way.endsByItself };
  }

  async release(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    this.#accepted = undefined;
    const cancelled = this.#ledger.cancel(this.#clock.now()) ?? this.#unreleased;
    const isOpen = cancelled !== undefined && cancelled.endS * 1000 > this.#clock.now();
    if (!isOpen && this.#way?.holds() !== true) return;
    this.#throwIfClosed();
    this.#unreleased = cancelled;
    await this.#giveBack.cancel();
    const way = await this.#openWay();
    try {
      await way.takeBack(cancelled, signal);
      this.#unreleased = undefined;
    } finally {
      if (way.holds() && !this.#closing.signal.aborted) this.#giveBack.in(RETRY_MS);
    }
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
    await this.#giveBack.cancel();
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
    return this.#way?.endsByItself === false ? { ...capability, failsafe: "gateway-only" } : capability;
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

  async #open(): Promise<PushLink> {
    const { era, clock } = this.#options;
    this.#link ??= new PushLink({
      era,
      clock,
      deadlineMs: this.#device.deadlineMs,
      tls: await tlsFrom(this.#device, this.#log),
    });
    this.#way ??= this.#wayOver(this.#link);
    return this.#link;
  }

  async #openWay(): Promise<PushWay> {
    return this.#way ?? this.#wayOver(await this.#open());
  }

  #wayOver(link: PushLink): PushWay {
    const { url, method, deviceCategory } = this.#device;
    const addresses = deviceCategory === undefined ? {} : { deviceCategory };
    switch (method) {
      case "put-control":
        return new PutControl(link, url, addresses);
      case "post-control":
        return new PostControl(link, url, addresses, this.#log);
      case "put-default":
        return new PutDefault(link, url, this.era, this.#options.memory);
    }
  }

  async #readMeter(link: PushLink, signal: AbortSignal): Promise<void> {
    const url = this.#device.meterUrl;
    if (url === undefined) return;
    const { status, body } = await link.ask({ method: "GET", url }, "GET meter", signal);
    if (status !== 200) throw link.oddStatus(status, "GET meter");
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
  async #keepReading(link: PushLink): Promise<void> {
    const { signal } = this.#closing;
    while (!signal.aborted) {
      try {
        await this.#clock.sleep(this.#device.pollMs, signal);
        const wasUp = this.#linkUp !== false;
        await this.#readMeter(link, signal);
        if (!wasUp) await this.#sendAgain(signal);
      } catch (error) {
        if (signal.aborted) return;
        const detail = error instanceof Error ? error.message : String(error);
        if (error instanceof DeviceError) this.#setLink(false, detail);
        else this.#log.error("reading a pushed 2030.5 device failed", { err: error });
      }
    }
  }

  async #sendAgain(signal: AbortSignal): Promise<void> {
    const event = this.#accepted;
    if (event === undefined || event.endS * 1000 <= this.#clock.now()) return;
    await this.#way?.send(event, `${this.#way.verb} ${event.mRID} again`, signal);
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
async function tlsFrom(device: PushDevice, log: Log): Promise<PushTls> {
  const { certFile, keyFile, caFile } = device;
  return {
    ...(certFile === undefined ? {} : { cert: await readPem("ieee2030_5_push.certFile", certFile) }),
    ...(keyFile === undefined ? {} : { key: await readKeyPem("ieee2030_5_push.keyFile", keyFile, log) }),
    ...(caFile === undefined ? {} : { ca: await readPem("ieee2030_5_push.caFile", caFile) }),
  };
}
