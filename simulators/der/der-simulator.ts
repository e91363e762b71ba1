import { backoffMs, type Clock } from "../../src/clock.ts";
import type { Log } from "../../src/log.ts";
import type { Battery } from "../world/battery.ts";
import { createRng, type Rng } from "../world/rng.ts";
import type { SolarPanel } from "../world/solar-panel.ts";
import { behaviourFrom, type DerBehaviour } from "./behaviour.ts";
import type { ControlMode, ControlModes } from "./control-modes.ts";
import { discover, type Site } from "./discovery.ts";
import { type Answer, EventEngine } from "./event-engine.ts";
import { type Hardware, hardwareFrom } from "./hardware.ts";
import { lfdiOf } from "./identity.ts";
import { readPrograms } from "./program-reader.ts";
import { BROKEN_XML, Reporter } from "./reporter.ts";
import { ResponseOutbox } from "./response-outbox.ts";
import { responseXml, wants } from "./responses.ts";
import { SepClient } from "./sep-client.ts";
import { Subscriber } from "./subscriber.ts";
import { required, timeOf } from "./values.ts";

export type { DerBehaviour } from "./behaviour.ts";

export interface DerSimulatorOptions {
  /** Where the server's DeviceCapability is, for example `https://127.0.0.1:8443/dcap`. */
  readonly url: string;
  /** PEM, as `cert` and `ca` are. */
  readonly key: string;
  readonly cert: string;
  readonly ca: string;
  readonly source: SolarPanel | Battery;
  /** setMaxW, kW. */
  readonly ratingKW: number;
  readonly clock: Clock;
  readonly log: Log;
  /** Elapsed ms between two looks at the controls; else what the server wishes. */
  readonly pollMs?: number;
  /** Elapsed ms between two uploads of status and readings; else what the server wishes. */
  readonly postMs?: number;
  readonly behaviour?: Partial<DerBehaviour>;
  /** What it says it can do; else all that its kind of hardware can. */
  readonly modes?: readonly ControlMode[];
  /** The registration number to expect at the server; else any is taken. */
  readonly pin?: number;
  /** Elapsed ms that one request may take. */
  readonly requestMs?: number;
  /** Where it listens for notifications; absent: it only polls. */
  readonly notifications?: { readonly host: string; readonly port: number };
}

/** A Response that the device sent, or would have sent had the server asked for it. */
export interface SaidResponse {
  /** The event's mRID as the server wrote it. */
  readonly subject: string;
  readonly status: number;
  /** What was wrong, if something was. */
  readonly reason?: string;
}

const TICK_MS = 100;
const RETRY_BASE_MS = 250;
const RETRY_CAP_MS = 15_000;
const DEFAULT_POST_S = 60;
const MAX_SAID = 1000;

/**
 * A solar inverter or a battery with an IEEE 2030.5 client inside: it walks the server's links, reports itself, polls
 * for DERControls, follows them with the delay of real hardware, and answers with Responses and readings.
 */
export class DerSimulator implements AsyncDisposable {
  readonly behaviour: DerBehaviour;
  readonly lfdi: string;
  readonly #options: DerSimulatorOptions;
  readonly #hardware: Hardware;
  readonly #modes: readonly ControlMode[];
  readonly #engine: EventEngine;
  readonly #client: SepClient;
  readonly #reporter: Reporter;
  readonly #outbox: ResponseOutbox;
  readonly #subscriber: Subscriber | undefined;
  readonly #rng: Rng;
  readonly #said: SaidResponse[] = [];
  readonly #stop = new AbortController();
  #loops: Promise<void>[] = [];
  #site: (Site & { readonly meter?: string; readonly renewAtMs: number }) | undefined;
  /** What holds when no event does. */
  #fallback: ControlModes | undefined;
  #pollS = 1;
  /** Ends the pause before the next poll. */
  #wake = new AbortController();
  /** Server time minus elapsed time, ms. */
  #serverOffsetMs: number;

  constructor(options: DerSimulatorOptions) {
    const { clock, log, cert, source, ratingKW } = options;
    this.#options = options;
    this.behaviour = behaviourFrom(options.behaviour);
    this.lfdi = lfdiOf(cert);
    this.#hardware = hardwareFrom(source, ratingKW);
    this.#modes = options.modes ?? this.#hardware.modes;
    this.#rng = createRng(Number.parseInt(this.lfdi.slice(0, 8), 16));
    const random = () => this.#rng.next();
    this.#engine = new EventEngine({
      random,
      objection: (modes) =>
        this.behaviour.rejectsControls ? "the device rejects controls" : this.#hardware.objection(modes),
      optsOut: () => this.behaviour.optsOut,
    });
    this.#client = new SepClient({ ...options, requestMs: options.requestMs ?? 10_000 });
    this.#reporter = new Reporter({
      client: this.#client,
      lfdi: this.lfdi,
      hardware: this.#hardware,
      modes: this.#modes,
      talksNonsense: () => this.behaviour.talksNonsense,
    });
    this.#outbox = new ResponseOutbox({
      clock,
      log,
      random,
      send: (href, xml, signal) => this.#client.post(href, this.behaviour.talksNonsense ? BROKEN_XML : xml, signal),
      isHeld: () => this.behaviour.silent,
    });
    this.#serverOffsetMs = clock.now() - clock.elapsedMs();
    const { notifications } = options;
    this.#subscriber =
      notifications && new Subscriber({ ...options, ...notifications, onNotification: () => this.#wake.abort() });
  }

  /** Every Response so far, oldest first; the last thousand. */
  get responses(): readonly SaidResponse[] {
    return this.#said;
  }

  /** Begins to look for the server and goes on for ever; returns at once. */
  async start(): Promise<void> {
    if (this.#loops.length > 0) return;
    await this.#subscriber?.start();
    const { pollMs } = this.#options;
    this.#loops = [
      this.#keep(
        "poll",
        () => pollMs ?? this.#pollS * 1000,
        (signal) => this.#poll(signal),
      ),
      // Until the server is found there is nobody to report to, and the first report is due as soon as it is.
      this.#keep(
        "report",
        () => (this.#site === undefined ? TICK_MS : this.#postMs()),
        (signal) => this.#report(signal),
      ),
      this.#keep(
        "tick",
        () => TICK_MS,
        async () => this.#tick(),
      ),
    ];
  }

  /** kW, export positive. */
  powerKW(): number {
    return this.#hardware.powerKW();
  }

  /** True while an event holds and the hardware follows it. */
  underControl(): boolean {
    return !this.behaviour.ignoresControls && this.#engine.running().length > 0;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort(new Error("the simulator is closed"));
    this.#client.close();
    await Promise.all([...this.#loops, this.#outbox.idle()]);
    await this.#subscriber?.[Symbol.asyncDispose]();
  }

  /** Does a task again and again, with a pause that grows while it fails; never throws. */
  async #keep(what: string, periodMs: () => number, task: (signal: AbortSignal) => Promise<void>): Promise<void> {
    const { clock, log } = this.#options;
    const { signal } = this.#stop;
    let failures = 0;
    while (!signal.aborted) {
      let waitMs: number;
      try {
        await task(signal);
        failures = 0;
        waitMs = periodMs();
      } catch (error) {
        if (signal.aborted) return;
        waitMs = backoffMs(failures++, RETRY_BASE_MS, RETRY_CAP_MS, () => this.#rng.next());
        const detail = error instanceof Error ? error.message : String(error);
        log.warn(`${what} failed`, { lfdi: this.lfdi, detail, retryMs: waitMs });
      }
      const woken = what === "poll" ? AbortSignal.any([signal, this.#wake.signal]) : signal;
      await clock.sleep(waitMs, woken).catch(() => {});
    }
  }

  async #poll(signal: AbortSignal): Promise<void> {
    if (this.behaviour.silent) return;
    // What is notified from here on may be missing in what is read now.
    if (this.#wake.signal.aborted) this.#wake = new AbortController();
    try {
      const isDue = this.#options.clock.elapsedMs() >= (this.#site?.renewAtMs ?? 0);
      const site = this.#site === undefined || isDue ? await this.#connect(signal) : this.#site;
      const programs = await readPrograms(this.#client, site.programLists, this.#modes, signal);
      if (site.subscriptions !== undefined)
        await this.#subscriber?.subscribe(this.#client, site.subscriptions, programs.controlLists, signal);
      if (this.behaviour.lateMs > 0) await this.#options.clock.sleep(this.behaviour.lateMs, signal);
      for (const complaint of programs.complaints) this.#options.log.warn(complaint, { lfdi: this.lfdi });
      this.#fallback = programs.fallback;
      this.#pollS = programs.pollS;
      this.#answer(this.#engine.see(programs.listed, this.#serverS()));
      this.#follow();
    } catch (error) {
      // Whatever went wrong, the links may be stale: the next try walks from the start again.
      this.#site = undefined;
      this.#subscriber?.forget();
      throw error;
    }
  }

  /** Finds everything, sets the clock by the server's, and says what the device is. */
  async #connect(signal: AbortSignal): Promise<Site> {
    const { url, pin, clock, log } = this.#options;
    const identity = { lfdi: this.lfdi, ...(pin !== undefined && { pin }) };
    const site = await discover(this.#client, url, identity, signal);
    if (site.time !== undefined) {
      const time = await this.#client.get(site.time, "Time", signal);
      this.#serverOffsetMs = timeOf(required(time, "currentTime")) * 1000 - clock.elapsedMs();
    }
    const meter = await this.#reporter.introduce(site, Math.floor(this.#serverS()), signal);
    const renewAtMs = clock.elapsedMs() + Math.max(site.renewS, 10) * 1000;
    this.#site = { ...site, renewAtMs, ...(meter !== undefined && { meter }) };
    log.info("found the server", { lfdi: this.lfdi, programLists: site.programLists.length });
    return site;
  }

  #tick(): void {
    this.#answer(this.#engine.tick(this.#serverS()));
    this.#follow();
  }

  /** Hands what holds now to the hardware; asking for its power also moves the physical model on. */
  #follow(): void {
    const modes = this.behaviour.ignoresControls ? undefined : this.#engine.modes();
    this.#hardware.obey(modes ?? this.#fallback);
    this.#hardware.powerKW();
  }

  #answer(answers: readonly Answer[]): void {
    for (const { to, status, reason } of answers) {
      this.#said.push({ subject: to.mRID, status, ...(reason !== undefined && { reason }) });
      if (this.#said.length > MAX_SAID) this.#said.shift();
      if (reason !== undefined) this.#options.log.warn("a control is refused", { mRID: to.mRID, status, reason });
      if (to.replyTo === undefined || !wants(to, status)) continue;
      const xml = responseXml({ subject: to.mRID, status, lfdi: this.lfdi, atS: Math.floor(this.#serverS()) });
      this.#outbox.push(to.replyTo, xml, this.#stop.signal);
    }
  }

  async #report(signal: AbortSignal): Promise<void> {
    if (this.behaviour.silent || this.#site === undefined) return;
    const nowS = Math.floor(this.#serverS());
    const intervalS = Math.max(1, Math.round(this.#postMs() / 1000));
    await this.#reporter.report(this.#site, { nowS, intervalS, isControlled: this.underControl() }, signal);
  }

  #postMs(): number {
    return this.#options.postMs ?? Math.max(1, this.#site?.postRateS ?? DEFAULT_POST_S) * 1000;
  }

  /** Seconds since 1970 by the server's clock, with their fraction. */
  #serverS(): number {
    return (this.#options.clock.elapsedMs() + this.#serverOffsetMs + this.behaviour.clockAheadMs) / 1000;
  }
}
