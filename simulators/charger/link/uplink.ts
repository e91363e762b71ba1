import { backoffMs, type Clock, repeatEvery } from "../../../src/clock.ts";
import type { Log } from "../../../src/log.ts";
import type { ChargerSocket } from "./charger-socket.ts";
import { Outbox, type Outgoing } from "./outbox.ts";

/** What the CSMS answered to a BootNotification. */
export interface BootAnswer {
  readonly status: "Accepted" | "Pending" | "Rejected";
  readonly intervalMs: number;
}

export interface UplinkOptions {
  readonly clock: Clock;
  readonly log: Log;
  /** Uniform in [0, 1); only for jitter. */
  readonly random: () => number;
  /** A fresh socket with all handlers on it. */
  readonly open: () => ChargerSocket;
  /** @throws when the CSMS did not answer or refused the message */
  readonly boot: (call: Call) => Promise<BootAnswer>;
  readonly heartbeatMs: () => number;
  /** The link is up and the boot accepted; called at each such moment. */
  readonly ready: () => void;
}

export type Call = (action: string, payload: Record<string, unknown>) => Promise<unknown>;

const BACKOFF_BASE_MS = 200;
const BACKOFF_CAP_MS = 5_000;
const RETRY_MS = 1_000;

/** The link to the CSMS: dials for ever, boots, beats, and sends what waits, in order. */
export class Uplink implements AsyncDisposable {
  readonly #options: UplinkOptions;
  readonly #outbox = new Outbox();
  readonly #stop = new AbortController();
  #socket: ChargerSocket | undefined;
  #booted = false;
  #paused = false;
  #ready = false;
  #failures = 0;
  #downSinceMs: number;
  #wake = new AbortController();
  #bootWait = new AbortController();
  #running: Promise<void> | undefined;
  #draining: Promise<void> | undefined;

  constructor(options: UplinkOptions) {
    this.#options = options;
    this.#downSinceMs = options.clock.elapsedMs();
  }

  /** Connected, and the CSMS accepted the boot. */
  get online(): boolean {
    return this.#ready;
  }

  /** How long there has been no link; nothing while there is one. Elapsed ms. */
  get offlineMs(): number | undefined {
    return this.#ready ? undefined : this.#options.clock.elapsedMs() - this.#downSinceMs;
  }

  /** The CSMS accepted a boot since the last restart. */
  get booted(): boolean {
    return this.#booted;
  }

  /** Connections that failed or broke since the last good one. */
  get failures(): number {
    return this.#failures;
  }

  /** Messages that still wait. */
  get waiting(): number {
    return this.#outbox.size;
  }

  start(): void {
    this.#running ??= this.#run(this.#stop.signal);
  }

  /** Drops the link and leaves it down. */
  async pause(): Promise<void> {
    this.#paused = true;
    await this.#drop();
  }

  /** Dials again, at once. */
  resume(): void {
    this.#paused = false;
    this.#wake.abort();
  }

  /** After a restart the charger has to boot again. */
  forgetBoot(): void {
    this.#booted = false;
  }

  /** A call that makes sense only now. @throws when there is no link, no answer, or an error as the answer */
  async call(action: string, payload: Record<string, unknown>): Promise<unknown> {
    if (this.#socket === undefined) throw new Error(`${action}: no link`);
    return await this.#socket.call(action, payload);
  }

  /** A message without an answer, 2.1 only. @throws when there is no link */
  send(action: string, payload: Record<string, unknown>): void {
    if (this.#socket === undefined) throw new Error(`${action}: no link`);
    this.#socket.send(action, payload);
  }

  /** A message that must arrive in order, now or later. */
  post(message: Outgoing): void {
    if (!this.#outbox.push(message)) this.#options.log.warn("too much waits for the CSMS: the oldest is dropped");
    this.#drain();
  }

  /** Sends a BootNotification now instead of after the interval. */
  bootNow(): void {
    if (this.#booted) void this.#bootOnce().catch(() => {});
    else this.#bootWait.abort();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort(new Error("the charger is switched off"));
    await this.#drop();
    await this.#running;
    await this.#draining;
  }

  async #run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      if (!this.#paused) await this.#connection(signal);
      const waitMs = this.#paused
        ? 60_000
        : backoffMs(this.#failures, BACKOFF_BASE_MS, BACKOFF_CAP_MS, this.#options.random);
      await this.#rest(waitMs, signal);
    }
  }

  /** Sleeps until the time is over, `resume` is called or the charger is switched off. */
  async #rest(waitMs: number, signal: AbortSignal): Promise<void> {
    if (!this.#wake.signal.aborted) {
      await this.#options.clock.sleep(waitMs, AbortSignal.any([signal, this.#wake.signal])).catch(() => {});
    }
    this.#wake = new AbortController();
  }

  /** One connection, from the dial to its end. */
  async #connection(signal: AbortSignal): Promise<void> {
    const socket = this.#options.open();
    const over = new AbortController();
    const closed = new Promise<void>((resolve) => {
      socket.once("close", () => {
        over.abort(new Error("the link is down"));
        resolve();
      });
    });
    this.#socket = socket;
    try {
      await socket.connect();
      // Switched off or paused while it was dialling.
      if (signal.aborted || this.#paused) await this.#drop();
      const session = this.#session(over.signal);
      await closed;
      await session;
    } catch (error) {
      this.#options.log.debug("the CSMS cannot be reached", { err: error });
    } finally {
      over.abort(new Error("the link is down"));
      this.#socket = undefined;
      this.#linkIsDown();
      this.#failures += 1;
    }
  }

  async #session(signal: AbortSignal): Promise<void> {
    try {
      while (!this.#booted && !signal.aborted) await this.#bootOnce(signal);
      if (signal.aborted) return;
      this.#failures = 0;
      this.#ready = true;
      this.#outbox.forgetAttempts();
      this.#drain();
      this.#options.ready();
      await this.#beat(signal);
    } catch (error) {
      if (!signal.aborted) this.#options.log.warn("the session with the CSMS failed", { err: error });
    }
  }

  async #bootOnce(signal?: AbortSignal): Promise<void> {
    let waitMs = RETRY_MS;
    try {
      const answer = await this.#options.boot((action, payload) => this.call(action, payload));
      this.#booted ||= answer.status === "Accepted";
      waitMs = Math.max(answer.intervalMs, RETRY_MS);
    } catch (error) {
      this.#options.log.debug("BootNotification was not answered", { err: error });
    }
    if (this.#booted || signal === undefined) return;
    this.#bootWait = new AbortController();
    await this.#options.clock.sleep(waitMs, AbortSignal.any([signal, this.#bootWait.signal])).catch(() => {});
  }

  async #beat(signal: AbortSignal): Promise<void> {
    const { clock, heartbeatMs } = this.#options;
    let lastMs = clock.elapsedMs();
    await repeatEvery(clock, RETRY_MS, signal, async () => {
      if (clock.elapsedMs() - lastMs < heartbeatMs()) return;
      lastMs = clock.elapsedMs();
      await this.call("Heartbeat", {}).catch(() => {});
    });
  }

  #drain(): void {
    if (!this.#ready) return;
    this.#draining ??= this.#sendWaiting().finally(() => {
      this.#draining = undefined;
      // What came between the last look at the queue and here.
      if (this.#ready && this.#outbox.size > 0) this.#drain();
    });
  }

  async #sendWaiting(): Promise<void> {
    while (this.#ready && this.#outbox.size > 0) {
      try {
        await this.#outbox.sendOldest((action, payload) => this.call(action, payload));
      } catch (error) {
        this.#options.log.debug("a message was not taken", { err: error });
        if (this.#ready) await this.#options.clock.sleep(RETRY_MS, this.#stop.signal).catch(() => {});
      }
    }
  }

  #linkIsDown(): void {
    if (this.#ready) this.#downSinceMs = this.#options.clock.elapsedMs();
    this.#ready = false;
  }

  async #drop(): Promise<void> {
    this.#linkIsDown();
    // A socket that breaks while it is being closed is closed as well.
    await this.#socket?.close({ force: true }).catch(() => undefined);
  }
}
