import { backoffMs, type Clock, withDeadline } from "../clock.ts";
import type { Log } from "../log.ts";
import type { ControlStore, OutboxItem, SentSignature } from "../store/control-store.ts";
import type { MarketCounters } from "./market-counters.ts";
import { MessagePoster, type PostedAnswer } from "./post-message.ts";
import type { SentSignatures } from "./sent-signatures.ts";
import { type Signer, signBody } from "./signature.ts";
import { parseStrictJson } from "./strict-json.ts";

const DEADLINE_MS = 10_000;
/** How long a signature counts: what the protocol's own adapters use. */
const SIGNATURE_LIFETIME_MS = 300_000;
const BACKOFF_BASE_MS = 1000;
const BACKOFF_CAP_MS = 300_000;
/** How often the store is asked for messages whose next attempt has come. */
const POLL_MS = 1000;
const PER_POLL = 64;
/** Signatures of unsettled items that are remembered. */
const MAX_SIGNED = 1000;

export interface OutboxOptions {
  readonly store: ControlStore;
  readonly clock: Clock;
  readonly log: Log;
  readonly counters: MarketCounters;
  /** 0 to below 1, for the jitter of the back-off. */
  readonly random: () => number;
  /** Absent: messages go unsigned, to a protocol adapter on this site that signs them. */
  readonly signer?: Signer;
  readonly sentSignatures?: SentSignatures;
  /** Brings a message to the market in another way than by HTTP to its `url`. @throws Error if it can't now */
  readonly post?: (
    body: Uint8Array,
    authorization: string | undefined,
    expiresInMs: number,
    signal: AbortSignal,
  ) => Promise<PostedAnswer>;
  /** The market refused a message for good. */
  readonly onRefused?: (item: OutboxItem, reason: string) => void;
  /** Messages on their way at the same time; 4 unless told. */
  readonly concurrency?: number;
  /** First wait after a failed attempt; 1 s unless told. */
  readonly backoffBaseMs?: number;
  /** How long an answer may take; 10 s unless told. */
  readonly deadlineMs?: number;
}

/**
 * Brings the messages that wait in the store to the market: signed when they go out, again and again until they are
 * acknowledged, refused, or of no use any more. What has the same `replaceKey` goes one after the other.
 */
export class Outbox implements AsyncDisposable {
  readonly #options: OutboxOptions;
  readonly #concurrency: number;
  readonly #poster: MessagePoster;
  readonly #stop = new AbortController();
  /** What is on its way: lane → the work. */
  readonly #sending = new Map<string, Promise<void>>();
  /** Of what was sent and is not settled: item → its signature. */
  readonly #signed = new Map<number, { readonly authorization: string; readonly sent: SentSignature }>();
  #running: Promise<void> | undefined;
  #wake: (() => void) | undefined;
  #kicked = false;

  constructor(options: OutboxOptions) {
    this.#options = options;
    this.#concurrency = options.concurrency ?? 4;
    this.#poster = new MessagePoster(this.#concurrency);
  }

  /** Sends until `signal` aborts. */
  start(signal: AbortSignal): void {
    signal.addEventListener("abort", () => this.#stop.abort(signal.reason), { once: true });
    if (signal.aborted) this.#stop.abort(signal.reason);
    this.#running ??= this.#run(this.#stop.signal);
  }

  /** Something was queued: look at once. */
  kick(): void {
    this.#kicked = true;
    this.#wake?.();
  }

  /** Messages on their way at this moment. */
  get inFlight(): number {
    return this.#sending.size;
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
        const due = await store.dueOutbox(clock.now(), PER_POLL);
        for (const item of due) this.#launch(item, signal);
      } catch (error) {
        log.error("the outbox could not be read", { err: error });
      }
      await this.#untilNext(signal);
    }
  }

  /** Starts to send an item, unless its lane is busy or there is no room; it is still there at the next look. */
  #launch(item: OutboxItem, signal: AbortSignal): void {
    const lane = item.replaceKey ?? `item ${item.id}`;
    if (signal.aborted || this.#sending.has(lane) || this.#sending.size >= this.#concurrency) return;
    const work = this.#send(item, signal)
      .catch((error) => {
        this.#options.log.error("an outgoing message could not be settled", { action: item.action, err: error });
        // The store is at fault; without a pause the same item would come again at once.
        return this.#options.clock.sleep(POLL_MS, signal).catch(() => {});
      })
      .finally(() => {
        this.#sending.delete(lane);
        this.kick();
      });
    this.#sending.set(lane, work);
  }

  async #send(item: OutboxItem, signal: AbortSignal): Promise<void> {
    const { store, clock, counters, log } = this.#options;
    const { id, action, url } = item;
    if (item.expiresAtMs <= clock.now()) {
      await store.removeOutbox(id);
      this.#signed.delete(id);
      counters.sent(action, "expired");
      log.warn("message to the market dropped: it was not delivered in time", { action, url, attempts: item.attempts });
      return;
    }
    const outcome = await this.#attempt(item, signal);
    // Stopped in the middle: not counted, and it goes again at the next start.
    if (signal.aborted && outcome.kind === "retry") return;
    if (outcome.kind === "retry") {
      const waitMs = backoffMs(
        item.attempts,
        this.#options.backoffBaseMs ?? BACKOFF_BASE_MS,
        BACKOFF_CAP_MS,
        this.#options.random,
      );
      await store.retryOutbox(id, item.attempts + 1, clock.now() + waitMs);
      counters.sent(action, "retried");
      log.warn("message to the market not delivered", { action, url, reason: outcome.reason, retryInMs: waitMs });
      return;
    }
    // Kept with the delivery: the answer that covers it may come after a restart.
    const sent = outcome.kind === "ack" ? this.#signed.get(id)?.sent : undefined;
    await store.removeOutbox(id, sent);
    this.#signed.delete(id);
    counters.sent(action, outcome.kind === "ack" ? "acked" : "nacked");
    if (outcome.kind === "ack") {
      log.debug("message to the market acknowledged", { action, url });
      return;
    }
    log.warn("the market refused a message", { action, url, reason: outcome.reason });
    this.#options.onRefused?.(item, outcome.reason);
  }

  async #attempt(item: OutboxItem, signal: AbortSignal): Promise<AnswerMeaning> {
    const { clock, deadlineMs, post } = this.#options;
    const body = Buffer.from(item.body);
    const authorization = this.#sign(item, body);
    try {
      const answer = await withDeadline(clock, deadlineMs ?? DEADLINE_MS, signal, (inner) =>
        post === undefined
          ? this.#poster.post(item.url, body, authorization, inner)
          : post(body, authorization, item.expiresAtMs - clock.now(), inner),
      );
      return meaningOf(answer);
    } catch (error) {
      return { kind: "retry", reason: error instanceof Error ? error.message : String(error) };
    }
  }

  /** The same signature for each attempt as long as it counts: an answer covers the one that arrived. */
  #sign({ id, body: text, action }: OutboxItem, body: Uint8Array): string | undefined {
    const { signer, clock, sentSignatures } = this.#options;
    if (signer === undefined) return undefined;
    const nowMs = clock.now();
    const before = this.#signed.get(id);
    if (before !== undefined && nowMs < before.sent.sentAtMs + SIGNATURE_LIFETIME_MS / 2) return before.authorization;
    const { authorization, signature } = signBody(signer, body, { nowMs, lifetimeMs: SIGNATURE_LIFETIME_MS });
    const { context } = JSON.parse(text) as { context: Readonly<Record<string, string>> };
    const messageId = context["message_id"] ?? context["messageId"] ?? "";
    const transactionId = context["transaction_id"] ?? context["transactionId"] ?? "";
    const sent = { messageId, transactionId, action, signature, sentAtMs: nowMs };
    this.#signed.set(id, { authorization, sent });
    // An item that a newer one replaced in the store is never settled here.
    for (const oldest of this.#signed.keys()) {
      if (this.#signed.size <= MAX_SIGNED) break;
      this.#signed.delete(oldest);
    }
    sentSignatures?.remember(sent, signature);
    return authorization;
  }

  /** Returns at a kick, when an item is done, or after the poll time. */
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

/** `retry`: no answer that could be relied on. */
type AnswerMeaning =
  | { readonly kind: "ack" }
  | { readonly kind: "nack"; readonly reason: string }
  | { readonly kind: "retry"; readonly reason: string };

const MAX_REASON_LENGTH = 300;

/**
 * What an answer says. `message.ack.status` is the form of the seed's time, `message.status` and `status` are newer ones.
 * Without an ACK or a NACK in it, not even a 200 counts: a captive portal answers 200 too.
 */
function meaningOf({ status, body }: PostedAnswer): AnswerMeaning {
  const isBusy = status >= 500 || status === 429 || status === 408;
  if (isBusy) return { kind: "retry", reason: `HTTP ${status}` };
  const json = parseStrictJson(body);
  const answer = json.ok ? (json.value as AnswerBody | null) : undefined;
  const word = answer?.message?.ack?.status ?? answer?.message?.status ?? answer?.status;
  if (word === "ACK" && status < 300) return { kind: "ack" };
  if (word === "NACK") {
    const error = JSON.stringify(answer?.message?.error ?? answer?.error ?? null).slice(0, MAX_REASON_LENGTH);
    return { kind: "nack", reason: `HTTP ${status}: ${error}` };
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
