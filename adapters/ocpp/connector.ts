import { backoffMs } from "../../src/clock.ts";
import type { Log } from "../../src/log.ts";
import { type Acceptance, type Adapter, DeviceError, type Report, type Target } from "../../src/model/adapter.ts";
import { ReportQueue } from "../../src/model/report-queue.ts";
import type { Capability, DeviceIdentity, Era } from "../../src/model/resource.ts";
import { kWFromAmps } from "../../src/model/units.ts";
import type { AdapterContext, DeviceRole } from "../kind.ts";
import type { OcppDevice } from "./config.ts";
import { importKWFrom, importLimitKW, powerFromImportKW } from "./control/import-limit.ts";
import { ProfileWriter, type Written } from "./control/profile-writer.ts";
import { CallFailure } from "./link/call-queue.ts";
import { timestampFrom } from "./link/timestamp.ts";
import { Turn } from "./link/turn.ts";
import type { ChargerEvent, PlugState } from "./messages/events.ts";
import { DeviceClock } from "./metering/device-clock.ts";
import { measuredFrom } from "./metering/reading-from-samples.ts";
import { PLUG_AVAILABILITY } from "./sessions/availability.ts";
import type { Station, StationEvent, StationPort } from "./station.ts";

/** Tries to give a charger its target again after a boot or reconnect, before it is left to the core to notice. */
const MAX_RESENDS = 5;

const OVERTAKEN = "overtaken by a newer order";

type SamplesEvent = Extract<ChargerEvent, { kind: "samples" }>;

/** One connector of a charger as the core sees it. */
export class OcppConnector implements Adapter, StationPort {
  readonly era: Era;
  readonly #station: Station;
  readonly #device: OcppDevice;
  readonly #context: AdapterContext;
  readonly #meterIntervalMs: number;
  readonly #log: Log;
  readonly #reports = new ReportQueue();
  readonly #writer: ProfileWriter;
  readonly #turn = new Turn();
  readonly #deviceClock = new DeviceClock();
  #identity: DeviceIdentity | undefined;
  #started = false;
  #state: PlugState | undefined;
  /** Set while connector 0, the whole station, is out of service. */
  #stationState: PlugState | undefined;
  #said = "";
  #transactionId: number | string | undefined;
  #target: Target | undefined;
  /** A release that the charger did not hear of. */
  #owesRelease = false;
  #resend: AbortController | undefined;

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
    this.#writer = new ProfileWriter(station, device, context.clock);
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
    this.#stopResend();
    const written = await this.#inTurn(signal, async () => {
      const done = await this.#writer.write(importKW, target.untilMs, this.#transactionId, signal);
      this.#target = target;
      this.#owesRelease = false;
      return done;
    });
    return {
      appliedKW: powerFromImportKW(importKWFrom(written.limit, this.#device)),
      command: commandText(written, this.#device.phases, target.untilMs),
      endsByItself: true,
    };
  }

  async release(signal: AbortSignal): Promise<void> {
    this.#stopResend();
    this.#target = undefined;
    this.#owesRelease = true;
    await this.#inTurn(signal, () => this.#writer.clear(signal));
    this.#owesRelease = false;
  }

  reports(signal: AbortSignal): AsyncIterable<Report> {
    return this.#reports.read(signal);
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#stopResend();
    this.#target = undefined;
    this.#owesRelease = false;
    this.#station.removePort(this.#device.connector);
    return Promise.resolve();
  }

  onLink(up: boolean, detail: string): void {
    if (!up) this.#stopResend();
    this.#reports.push({ kind: "link", up, detail });
  }

  onReady(): void {
    this.#resendSoon("the charger is back", true);
  }

  onIdentity(identity: DeviceIdentity): void {
    this.#writer.forget();
    const changed = JSON.stringify(identity) !== JSON.stringify(this.#identity);
    this.#identity = identity;
    if (changed && this.#started) this.#reports.push({ kind: "capability", capability: this.#capability() });
  }

  onEvent(event: StationEvent): void {
    if (event.kind === "state") this.#onState(event.connector, event.state);
    // Samples of connector 0 are those of the whole station, which may feed more than this connector.
    else if (event.connector !== this.#device.connector) return;
    else if (event.kind === "samples") this.#onSamples(event);
    else if (event.kind === "transaction") this.#onTransaction(event.transactionId);
    else if (event.transactionId === this.#transactionId) {
      this.#transactionId = undefined;
      // Its profile went with it.
      this.#resendSoon("the transaction is over", false);
    }
  }

  #onState(connector: number, state: PlugState): void {
    if (connector === 0) {
      this.#stationState = state === "unavailable" || state === "faulted" ? state : undefined;
    } else {
      // 2.0.1 repeats "occupied" beside the finer state of the transaction, which stays.
      const finer = this.#transactionId !== undefined && state === "plugged" && this.#usable();
      if (!finer) this.#state = state;
      if (state === "free") this.#transactionId = undefined;
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
    if (reason === this.#said) return;
    this.#said = reason;
    const minPowerKW = usable ? this.#capability().minPowerKW : 0;
    this.#reports.push({ kind: "availability", availability: { era: this.era, minPowerKW, maxPowerKW: 0, reason } });
  }

  #onTransaction(transactionId: number | string): void {
    if (transactionId === this.#transactionId) return;
    this.#transactionId = transactionId;
    this.#resendSoon("a transaction started", false);
  }

  #onSamples(event: SamplesEvent): void {
    const receivedAtMs = this.#context.clock.now();
    let live = event.sets.length > 0;
    for (const set of event.sets) {
      const timing = this.#deviceClock.judge(set.takenAtMs, receivedAtMs);
      const replayed = timing.replayed || event.offline === true;
      if (replayed) live = false;
      const measured = measuredFrom(set.samples, this.#device);
      if (measured === undefined) continue;
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
      this.#onTransaction(event.transactionId);
    }
  }

  #stopResend(): void {
    // With a reason of ours: without one `abort` makes an exception with its stack, also where there is nothing to stop.
    this.#resend?.abort(OVERTAKEN);
    this.#resend = undefined;
  }

  /** Puts what was accepted, or a release that got lost, in force again; an order of the core goes before it. */
  #resendSoon(why: string, withFallback: boolean): void {
    this.#stopResend();
    const stop = new AbortController();
    this.#resend = stop;
    this.#turn
      .run(stop.signal, () => this.#restore(why, withFallback, stop.signal))
      .catch((error: unknown) => {
        if (!stop.signal.aborted) this.#log.warn("the charger did not take its target again", { why, err: error });
      })
      .finally(() => {
        if (this.#resend === stop) this.#resend = undefined;
      });
  }

  async #restore(why: string, withFallback: boolean, signal: AbortSignal): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      try {
        if (await this.#restoreOnce(signal)) this.#log.info("target sent again", { why });
        break;
      } catch (error) {
        const gone = error instanceof CallFailure && error.fault === "unreachable";
        if (signal.aborted || gone || attempt >= MAX_RESENDS) throw error;
        await this.#context.clock.sleep(backoffMs(attempt, 1000, 30_000, this.#context.random), signal);
      }
    }
    // A target at the fallback's own level carries the fallback behind it.
    if (withFallback && !this.#writer.targetCarriesFallback(this.#target !== undefined)) {
      await this.#writer.installFallback(signal);
    }
  }

  /** @returns true if there was a target to send */
  async #restoreOnce(signal: AbortSignal): Promise<boolean> {
    if (this.#owesRelease) {
      await this.#writer.clear(signal);
      this.#owesRelease = false;
    }
    const target = this.#target;
    if (target === undefined) return false;
    const importKW = importLimitKW(target.powerKW);
    if (importKW === undefined || target.untilMs <= this.#context.clock.now()) {
      this.#target = undefined;
      return false;
    }
    await this.#writer.write(importKW, target.untilMs, this.#transactionId, signal);
    return true;
  }

  #capability(): Capability {
    const { maxA, minA, settleS } = this.#device;
    return {
      minPowerKW: powerFromImportKW(kWFromAmps(maxA, this.#device)),
      maxPowerKW: 0,
      ...(minA > 0 ? { minRunKW: kWFromAmps(minA, this.#device) } : {}),
      control: "limit",
      failsafe: "device",
      settleMs: settleS * 1000,
      sampleMs: this.#meterIntervalMs,
      ...(this.#identity === undefined ? {} : { identity: this.#identity }),
    };
  }

  async #inTurn<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    try {
      return await this.#turn.run(signal, work);
    } catch (error) {
      if (!(error instanceof CallFailure)) throw error;
      throw new DeviceError(error.fault, this.era, error.message, { cause: error });
    }
  }
}

function commandText({ limit, purpose }: Written, phases: number, untilMs: number): string {
  const amount = limit.unit === "A" ? `${limit.value.toFixed(1)} A x ${phases}` : `${limit.value} W`;
  return `SetChargingProfile ${purpose} ${amount} until ${timestampFrom(untilMs)}`;
}
