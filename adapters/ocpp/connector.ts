import type { Log } from "../../src/log.ts";
import {
  type Acceptance,
  type Adapter,
  DeviceError,
  type Evidence,
  type Report,
  type Target,
} from "../../src/model/adapter.ts";
import { ReportQueue } from "../../src/model/report-queue.ts";
import type { Capability, DeviceIdentity, Era } from "../../src/model/resource.ts";
import type { AdapterContext, DeviceRole } from "../kind.ts";
import type { OcppDevice } from "./config.ts";
import { importLimitKW, powerFromImportKW, ratingOf } from "./control/import-limit.ts";
import { TargetKeeper } from "./control/target-keeper.ts";
import { CallFailure } from "./link/call-queue.ts";
import { timestampFrom } from "./link/timestamp.ts";
import type { PlugEvent, PlugState } from "./messages/events.ts";
import { DeviceClock } from "./metering/device-clock.ts";
import { measuredFrom } from "./metering/reading-from-samples.ts";
import { PLUG_AVAILABILITY } from "./sessions/availability.ts";
import { Notices } from "./setup/notices.ts";
import type { Station, StationPort } from "./station.ts";

type SamplesEvent = Extract<PlugEvent, { kind: "samples" }>;

/** One connector of a charger as the core sees it. */
export class OcppConnector implements Adapter, StationPort {
  readonly era: Era;
  readonly #station: Station;
  readonly #device: OcppDevice;
  readonly #context: AdapterContext;
  readonly #reports = new ReportQueue();
  readonly #notices = new Notices((notices) => this.#reports.push({ kind: "notices", notices }));
  readonly #log: Log;
  readonly #deviceClock = new DeviceClock();
  /** Keeps the target in force. */
  readonly keeper: TargetKeeper;
  #meterIntervalMs: number;
  #identity: DeviceIdentity | undefined;
  #started = false;
  #state: PlugState | undefined;
  /** Set while connector 0, the whole station, is out of service. */
  #stationState: PlugState | undefined;
  #said = "";

  constructor(
    role: DeviceRole,
    device: OcppDevice,
    station: Station,
    meterIntervalMs: number,
    context: AdapterContext,
  ) {
    this.era = role.era;
    this.#device = device;
    this.#station = station;
    this.#meterIntervalMs = meterIntervalMs;
    this.#context = context;
    this.#log = context.log.child({ era: role.era, charger: device.identity });
    this.#identity = station.chargerIdentity;
    this.keeper = new TargetKeeper({
      station,
      device,
      context,
      log: this.#log,
      notices: this.#notices,
      tell: (report) => this.#reports.push(report),
      onCapability: () => this.#sayCapability(),
    });
  }

  get protocol(): string {
    return this.#station.version ?? "ocpp";
  }

  async start(signal: AbortSignal): Promise<Capability> {
    await this.#station.connected(signal);
    this.#started = true;
    return this.#capability();
  }

  async apply(target: Target, signal: AbortSignal): Promise<Acceptance> {
    const importKW = importLimitKW(target.powerKW);
    if (importKW === undefined) {
      throw new DeviceError("refused", this.era, `cannot discharge: asked for ${target.powerKW} kW of generation`);
    }
    if (target.untilMs <= this.#context.clock.now()) {
      throw new DeviceError("refused", this.era, `the target ended at ${timestampFrom(target.untilMs)}`);
    }
    return this.#asDevice(() => this.keeper.apply(target, importKW, signal));
  }

  async release(signal: AbortSignal): Promise<void> {
    await this.#asDevice(() => this.keeper.release(signal));
  }

  async probe(signal: AbortSignal): Promise<Evidence> {
    return this.#asDevice(() => this.keeper.probe(signal));
  }

  reports(signal: AbortSignal): AsyncIterable<Report> {
    return this.#reports.read(signal);
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.keeper.stop();
    this.#station.removePort(this.#device.connector);
    return Promise.resolve();
  }

  onLink(up: boolean, detail: string): void {
    if (!up) this.keeper.onLinkDown();
    this.#reports.push({ kind: "link", up, detail });
  }

  onReady(): void {
    this.keeper.onReady();
  }

  onSampleInterval(intervalS: number): void {
    if (intervalS * 1000 === this.#meterIntervalMs) return;
    this.#meterIntervalMs = intervalS * 1000;
    this.#sayCapability();
  }

  onNotice(topic: string, text: string | undefined): void {
    this.#notices.set(topic, text);
  }

  onClock(): void {
    this.keeper.onClock();
  }

  async onSetUp(signal: AbortSignal): Promise<void> {
    this.#sayCapability();
    await this.keeper.lookAround(signal);
  }

  onIdentity(identity: DeviceIdentity): void {
    const changed = JSON.stringify(identity) !== JSON.stringify(this.#identity);
    this.#identity = identity;
    if (changed) this.#sayCapability();
  }

  onEvent(event: PlugEvent): void {
    if (event.kind === "state") this.#onState(event.connector, event.state);
    // Samples of connector 0 are those of the whole station, which may feed more than this connector.
    else if (event.connector !== this.#device.connector) return;
    else if (event.kind === "samples") this.#onSamples(event);
    else if (event.kind === "transaction") this.keeper.onTransaction(event.transactionId, this.#context.clock.now());
    else this.keeper.onTransactionOver(event.transactionId);
  }

  #onState(connector: number, state: PlugState): void {
    if (connector === 0) {
      this.#stationState = state === "unavailable" || state === "faulted" ? state : undefined;
    } else {
      // 2.0.1 repeats "occupied" beside the finer state of the transaction, which stays.
      const finer = this.keeper.transactionId !== undefined && state === "plugged" && this.#usable();
      if (!finer) this.#state = state;
      if (state === "free") this.keeper.onCarGone();
    }
    this.#sayAvailability();
  }

  #usable(): boolean {
    return this.#state !== undefined && PLUG_AVAILABILITY[this.#state].usable;
  }

  #sayAvailability(): void {
    const state = this.#stationState ?? this.#state;
    if (state === undefined) return;
    const { usable, reason } = PLUG_AVAILABILITY[state];
    // A car on one line can take no more than one line carries.
    const minPowerKW = usable ? powerFromImportKW(this.keeper.mostKW) : 0;
    const said = `${reason} ${minPowerKW}`;
    if (said === this.#said) return;
    this.#said = said;
    this.#reports.push({ kind: "availability", availability: { era: this.era, minPowerKW, maxPowerKW: 0, reason } });
  }

  #onSamples(event: SamplesEvent): void {
    const receivedAtMs = this.#context.clock.now();
    let live = event.sets.length > 0;
    for (const set of event.sets) {
      const timing = this.#deviceClock.judge(set.takenAtMs, receivedAtMs);
      const replayed = timing.replayed || event.offline === true;
      if (replayed) live = false;
      const measured = measuredFrom(set.samples, this.keeper.rating);
      if (measured === undefined) continue;
      if (!replayed && this.keeper.noteLines(measured.currentA)) this.#sayAvailability();
      this.#reports.push({
        kind: "reading",
        reading: {
          era: this.era,
          receivedAtMs,
          ...(timing.deviceTimeMs === undefined ? {} : { deviceTimeMs: timing.deviceTimeMs }),
          ...(replayed ? { replayed } : {}),
          ...measured,
        },
      });
    }
    // A transaction that began before we did: the charger goes on with it and only names it here.
    if (live && event.transactionId !== undefined && (this.#state === undefined || this.#usable())) {
      this.keeper.onTransaction(event.transactionId, undefined);
    }
  }

  #sayCapability(): void {
    if (this.#started) this.#reports.push({ kind: "capability", capability: this.#capability() });
  }

  #capability(): Capability {
    const { leastKW, needsUs } = this.keeper;
    return {
      minPowerKW: powerFromImportKW(ratingOf(this.#device).maxKW),
      maxPowerKW: 0,
      ...(leastKW > 0 ? { minRunKW: leastKW } : {}),
      control: "limit",
      failsafe: needsUs ? "gateway-only" : "device",
      settleMs: this.#device.settleS * 1000,
      sampleMs: this.#meterIntervalMs,
      ...(this.#identity === undefined ? {} : { identity: this.#identity }),
    };
  }

  async #asDevice<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof CallFailure)) throw error;
      throw new DeviceError(error.fault, this.era, error.message, { cause: error });
    }
  }
}
