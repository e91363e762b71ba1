import { setMaxListeners } from "node:events";
import { backoffMs, type Clock, withDeadline } from "../../clock.ts";
import type { Log } from "../../log.ts";
import { MessagePoster, type PostedAnswer } from "../post-message.ts";
import { type Signer, signBody } from "../signature.ts";
import { parseStrictJson } from "../strict-json.ts";
import type { ReplyAddress, WaitingCallback } from "./provider-records.ts";
import type { ProviderStore } from "./provider-store.ts";

const DEADLINE_MS = 10_000;
/** How long a signature counts: what the protocol's own adapters use. */
const SIGNATURE_LIFETIME_MS = 300_000;
const BACKOFF_BASE_MS = 500;
const BACKOFF_CAP_MS = 60_000;
/** How often the store is asked for callbacks whose next attempt has come. */
const POLL_MS = 1000;
const PER_POLL = 256;
const CONCURRENCY = 16;
const MAX_REASON_LENGTH = 300;

type MqttAddress = Extract<ReplyAddress, { kind: "mqtt" }>;

export interface CallbackOutboxOptions {
  readonly store: ProviderStore;
  readonly clock: Clock;
  readonly log: Log;
  /** 0 to below 1, for the jitter of the back-off. */
  readonly random: () => number;
  /** Absent: callbacks go unsigned, to a protocol adapter that signs them. */
  readonly signer?: Signer;
  /** Hands a payload to the broker; resolves when the broker has it. Absent: no broker. */
  readonly publish?: (to: MqttAddress, payload: string, expiresInMs: number) => Promise<void>;
  /** First wait after a failed attempt; 0.5 s unless told. */
  readonly backoffBaseMs?: number;
}

type Outcome = { readonly kind: "acked" } | { readonly kind: "refused" | "retry"; readonly reason: string };

/**
 * Brings the callbacks that wait in the store to their participants: signed when they leave, again and again until they
 * are acknowledged, refused, or of no use any more. Those of one transaction leave in their order; one that is stuck
 * delays no other transaction.
 */
export class CallbackOutbox implements AsyncDisposable {
  readonly #options: CallbackOutboxOptions;
  readonly #poster = new MessagePoster(CONCURRENCY);
  readonly #stop = new AbortController();
  readonly #sending = new Map<string, Promise<void>>();
  #running: Promise<void> | undefined;
  #wake: (() => void) | undefined;
  #kicked = false;

  constructor(options: CallbackOutboxOptions) {
    this.#options = options;
  }

  /** Sends until `signal` aborts. */
  start(signal: AbortSignal): void {
    signal.addEventListener("abort", () => this.#stop.abort(signal.reason), { once: true });
    if (signal.aborted) this.#stop.abort(signal.reason);
    // Every callback that is under way listens for the stop; Node takes more than ten for a leak.
    setMaxListeners(0, this.#stop.signal);
    this.#running ??= this.#run(this.#stop.signal);
  }

  /** Something was queued: look at once. */
  kick(): void {
    this.#kicked = true;
    this.#wake?.();
  }

  /** Ends; what was not acknowledged stays in the store for the next start. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort(new Error("the outbox was closed"));
    await this.#running;
    await Promise.all(this.#sending.values());
    this.#poster[Symbol.dispose]();
  }

  async #run(signal: AbortSignal): Promise<void> {
    const { store, clock, log } = this.#options;
    while (!signal.aborted) {
      this.#kicked = false;
      try {
        for (const callback of await store.dueCallbacks(clock.now(), PER_POLL)) this.#launch(callback, signal);
      } catch (error) {
        if (!signal.aborted) log.error("the outbox could not be read", { err: error });
      }
      await this.#untilNext(signal);
    }
  }

  /** Starts to send one, unless its lane is busy or there is no room; it is still there at the next look. */
  #launch(callback: WaitingCallback, signal: AbortSignal): void {
    const { lane } = callback;
    if (signal.aborted || this.#sending.has(lane) || this.#sending.size >= CONCURRENCY) return;
    const work = this.#send(callback, signal)
      .catch((error) => {
        this.#options.log.error("a callback could not be settled", { action: callback.action, err: error });
        // The store is at fault; without a pause the same one would come again at once.
        return this.#options.clock.sleep(POLL_MS, signal).catch(() => {});
      })
      .finally(() => {
        this.#sending.delete(lane);
        this.kick();
      });
    this.#sending.set(lane, work);
  }

  async #send(callback: WaitingCallback, signal: AbortSignal): Promise<void> {
    const { store, clock, log, random, backoffBaseMs } = this.#options;
    const { id, action, attempts, expiresAtMs } = callback;
    const to = addressText(callback.to);
    if (expiresAtMs <= clock.now()) {
      await store.removeCallback(id);
      log.warn("callback dropped: it was not delivered in time", { action, to, attempts });
      return;
    }
    const outcome = await this.#attempt(callback, signal);
    // Stopped in the middle: not counted, and it goes again at the next start.
    if (signal.aborted && outcome.kind === "retry") return;
    if (outcome.kind === "retry") {
      const waitMs = backoffMs(attempts, backoffBaseMs ?? BACKOFF_BASE_MS, BACKOFF_CAP_MS, random);
      await store.retryCallback(id, attempts + 1, clock.now() + waitMs);
      log.warn("callback not delivered", { action, to, reason: outcome.reason, retryInMs: waitMs });
      return;
    }
    await store.removeCallback(id);
    if (outcome.kind === "refused")
      log.warn("a participant refused a callback", { action, to, reason: outcome.reason });
    else log.debug("callback delivered", { action, to });
  }

  async #attempt(callback: WaitingCallback, signal: AbortSignal): Promise<Outcome> {
    const { clock, signer, publish } = this.#options;
    const { to, action } = callback;
    const body = Buffer.from(callback.body);
    const times = { nowMs: clock.now(), lifetimeMs: SIGNATURE_LIFETIME_MS };
    const authorization =
      signer === undefined ? undefined : signBody(signer, body, times, callback.requestSignature).authorization;
    try {
      return await withDeadline(clock, DEADLINE_MS, signal, async (inner): Promise<Outcome> => {
        if (to.kind === "http") {
          return outcomeOf(await this.#poster.post(`${to.uri}/${action}`, body, authorization, inner));
        }
        if (publish === undefined) return { kind: "retry", reason: "no broker is configured" };
        // MQTT has no header for the signature, so the signed text travels in an envelope.
        const payload =
          authorization === undefined ? callback.body : JSON.stringify({ authorization, body: callback.body });
        await publish(to, payload, callback.expiresAtMs - times.nowMs);
        return { kind: "acked" };
      });
    } catch (error) {
      return { kind: "retry", reason: error instanceof Error ? error.message : String(error) };
    }
  }

  /** Returns at a kick, when one is done, or after the poll time. */
  async #untilNext(signal: AbortSignal): Promise<void> {
    if (this.#kicked || signal.aborted) return;
    const timer = new AbortController();
    const onAbort = () => timer.abort();
    signal.addEventListener("abort", onAbort, { once: true });
    this.#wake = onAbort;
    await this.#options.clock.sleep(POLL_MS, timer.signal).catch(() => {});
    this.#wake = undefined;
    signal.removeEventListener("abort", onAbort);
  }
}

function addressText(to: ReplyAddress): string {
  return to.kind === "http" ? to.uri : `mqtt ${to.topic}`;
}

/** What a participant's answer says, in any of the forms in use. Without ACK or NACK in it, not even a 200 counts. */
function outcomeOf({ status, body }: PostedAnswer): Outcome {
  if (status >= 500 || status === 429 || status === 408) return { kind: "retry", reason: `HTTP ${status}` };
  const json = parseStrictJson(body);
  const answer = json.ok ? (json.value as AnswerBody | null) : undefined;
  const word = answer?.message?.ack?.status ?? answer?.message?.status ?? answer?.status;
  if (word === "ACK" && status < 300) return { kind: "acked" };
  if (word === "NACK") {
    const error = JSON.stringify(answer?.message?.error ?? answer?.error ?? null).slice(0, MAX_REASON_LENGTH);
    return { kind: "refused", reason: `HTTP ${status}: ${error}` };
  }
  return { kind: "retry", reason: `HTTP ${status} without ACK or NACK` };
}

interface AnswerBody {
  readonly message?: {
    readonly ack?: { readonly status?: unknown } | null;
    readonly status?: unknown;
    readonly error?: unknown;
  } | null;
  readonly status?: unknown;
  readonly error?: unknown;
}
