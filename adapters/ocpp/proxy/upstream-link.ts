import { readFileSync } from "node:fs";
import { WebSocket } from "ws";
import { backoffMs, type Clock } from "../../../src/clock.ts";
import type { Log } from "../../../src/log.ts";
import { AnswerBatch } from "../link/answer-batch.ts";
import { CallFailure } from "../link/call-queue.ts";
import { ChargerLink } from "../link/charger-link.ts";
import type { JsonRecord } from "../link/json.ts";
import type { LinkWatch } from "../link/link-watch.ts";
import type { OcppVersion } from "../version.ts";
import type { UpstreamConfig } from "./upstream-config.ts";

const HANDSHAKE_MS = 15_000;
const BACKOFF_BASE_MS = 1_000;
const BACKOFF_CAP_MS = 300_000;
const PING_MS = 60_000;
const MAX_FRAME_BYTES = 1024 * 1024;
/** A backend has more to say than a charger, above all in the first minute. */
const MAX_MESSAGES_PER_S = 100;

export interface UpstreamLinkOptions {
  readonly identity: string;
  readonly config: UpstreamConfig;
  readonly version: OcppVersion;
  readonly clock: Clock;
  readonly log: Log;
  readonly random: () => number;
  readonly watch: LinkWatch;
  readonly callTimeoutMs: number;
  /** Answers a call of the backend; what it throws becomes a CALLERROR. */
  readonly onCall: (action: string, payload: JsonRecord) => Promise<JsonRecord>;
  /** The backend can be called. */
  readonly onUp: (link: UpstreamLink, ended: AbortSignal) => void;
  readonly onDown: (why: string) => void;
}

/** The connection to a charger's backend: there as long as the charger is, and dialled again whenever it breaks. */
export class UpstreamLink {
  readonly #options: UpstreamLinkOptions;
  readonly #stop = new AbortController();
  readonly #running: Promise<void>;
  #link: ChargerLink | undefined;

  constructor(options: UpstreamLinkOptions) {
    this.#options = options;
    this.#running = this.#run();
  }

  get up(): boolean {
    return this.#link !== undefined;
  }

  /** @throws CallFailure */
  async call(action: string, payload: JsonRecord): Promise<JsonRecord> {
    const link = this.#link;
    if (link === undefined) throw new CallFailure("unreachable", "the backend is not connected");
    return link.call({ action, payload }, "command", this.#stop.signal);
  }

  /** Ends this connection; it is dialled again later. */
  hangUp(why: string): void {
    this.#link?.drop(why);
  }

  async close(): Promise<void> {
    this.#stop.abort(new Error("the charger is gone"));
    await this.#link?.close(1001, "the charger is gone");
    await this.#running;
  }

  async #run(): Promise<void> {
    const { clock, random, log } = this.#options;
    const { signal } = this.#stop;
    for (let attempt = 0; !signal.aborted; attempt++) {
      try {
        const socket = await this.#dial(signal);
        const openedMs = clock.elapsedMs();
        await this.#serve(socket);
        // A backend that hangs up at once is not called at once again.
        if (clock.elapsedMs() - openedMs > PING_MS) attempt = 0;
      } catch (error) {
        if (signal.aborted) return;
        log.warn("the backend cannot be reached", { reason: error instanceof Error ? error.message : String(error) });
        this.#options.onDown(error instanceof Error ? error.message : String(error));
      }
      await clock.sleep(backoffMs(attempt, BACKOFF_BASE_MS, BACKOFF_CAP_MS, random), signal).catch(() => {});
    }
  }

  #dial(signal: AbortSignal): Promise<WebSocket> {
    const { config, identity, version } = this.#options;
    const user = config.identity ?? identity;
    const password = passwordOf(config);
    const socket = new WebSocket(`${config.url.replace(/\/+$/, "")}/${encodeURIComponent(user)}`, version, {
      handshakeTimeout: HANDSHAKE_MS,
      maxPayload: MAX_FRAME_BYTES,
      perMessageDeflate: false,
      followRedirects: false,
      ...(password === undefined
        ? {}
        : { headers: { authorization: `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}` } }),
      ...(config.caFile === undefined ? {} : { ca: readFileSync(config.caFile) }),
    });
    return new Promise((resolve, reject) => {
      const onAbort = () => socket.terminate();
      signal.addEventListener("abort", onAbort, { once: true });
      socket.once("error", reject);
      socket.once("close", () => reject(new Error("closed during the handshake")));
      socket.once("open", () => {
        signal.removeEventListener("abort", onAbort);
        socket.removeAllListeners("error");
        socket.removeAllListeners("close");
        resolve(socket);
      });
    });
  }

  async #serve(socket: WebSocket): Promise<void> {
    const { version, clock, log, random, watch, callTimeoutMs, onCall, onUp, onDown } = this.#options;
    let close: (why: string) => void = () => {};
    const closed = new Promise<string>((resolve) => {
      close = resolve;
    });
    const settings = {
      clock,
      random,
      watch,
      answers: new AnswerBatch(),
      callTimeoutMs,
      pingIntervalMs: PING_MS,
      // It is ours to speak first.
      bootTimeoutMs: Number.POSITIVE_INFINITY,
      maxMessagesPerS: MAX_MESSAGES_PER_S,
    };
    const link = new ChargerLink(socket, version, settings, {
      log,
      onCall: async (action, payload) => ({ answer: await onCall(action, payload), events: [] }),
      onSend: () => {},
      onAnswered: () => {},
      onMisconduct: (what) => log.debug("the backend sent what is no OCPP, or too much", { what }),
      onLook: () => {},
      onClosed: close,
    });
    this.#link = link;
    link.open();
    log.info("connected to the backend");
    onUp(this, link.ended);
    const why = await closed;
    this.#link = undefined;
    onDown(why);
    if (!this.#stop.signal.aborted) log.warn("the backend's connection ended", { why });
  }
}

function passwordOf({ password, passwordFile }: UpstreamConfig): string | undefined {
  return passwordFile === undefined ? password : readFileSync(passwordFile, "utf8").trim();
}
