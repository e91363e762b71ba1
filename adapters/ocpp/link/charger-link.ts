import type { RawData, WebSocket } from "ws";
import { type Clock, repeatEvery } from "../../../src/clock.ts";
import type { Log } from "../../../src/log.ts";
import type { Request } from "../messages/dialect.ts";
import type { Handled } from "../messages/events.ts";
import type { OcppVersion } from "../version.ts";
import { CallQueue, type Urgency } from "./call-queue.ts";
import {
  type CallFault,
  CallRefusal,
  errorFrame,
  type Frame,
  parseFrame,
  resultErrorFrame,
  resultFrame,
} from "./frame.ts";
import type { JsonRecord } from "./json.ts";

export interface LinkOptions {
  readonly version: OcppVersion;
  readonly clock: Clock;
  readonly log: Log;
  readonly callTimeoutMs: number;
  /** 0: no keepalive of our own. */
  readonly pingIntervalMs: number;
  /** Answers a call; what it throws becomes a CALLERROR. A promise is for an answer that somebody else has to give. */
  readonly onCall: (action: string, payload: JsonRecord) => Handled | Promise<Handled>;
  /** Takes a message that is never answered; what it throws is logged. */
  readonly onSend: (action: string, payload: JsonRecord) => void;
  /** Called after the answer has been sent, so that the charger knows it before anything follows from it. */
  readonly onAnswered: (handled: Handled) => void;
  readonly onClosed: (why: string) => void;
}

/** Unsent bytes at which a peer that does not read is given up. */
const MAX_UNSENT_BYTES = 1024 * 1024;

/** Frames in a row that are no OCPP, after which the link is closed. */
const MAX_NONSENSE = 100;

const CLOSE_WITHIN_MS = 1000;

/** OCPP-J is text; what a binary frame holds has no id to answer to. */
const BINARY: Frame = { kind: "bad", about: "frame", fault: "a binary frame" };

/** One OCPP-J connection: frames in and out, one outstanding call, keepalive. Lenient in what it takes. */
export class ChargerLink {
  readonly version: OcppVersion;
  readonly #socket: WebSocket;
  readonly #options: LinkOptions;
  readonly #calls: CallQueue;
  readonly #ended = new AbortController();
  #heard = true;
  #nonsense = 0;
  #pongs = new Set<() => void>();

  constructor(socket: WebSocket, options: LinkOptions) {
    this.version = options.version;
    this.#socket = socket;
    this.#options = options;
    this.#calls = new CallQueue({
      clock: options.clock,
      timeoutMs: options.callTimeoutMs,
      send: (frame) => this.#send(frame),
      onUnusable: (id, fault) => this.#onUnusable(id, fault),
    });
  }

  /** Aborts when the connection has ended. */
  get ended(): AbortSignal {
    return this.#ended.signal;
  }

  /** Begins to listen; frames that came before are still there. */
  open(): void {
    this.#socket.on("message", (data, isBinary) => this.#guard(() => this.#onMessage(data, isBinary)));
    this.#socket.on("pong", () => {
      this.#heard = true;
      for (const heard of this.#pongs) heard();
    });
    this.#socket.on("error", (error) => this.#options.log.warn("charger link broke", { err: error }));
    this.#socket.on("close", (code, reason) => this.#onClose(`closed with ${code} ${reason.toString("utf8")}`.trim()));
    const { clock, pingIntervalMs } = this.#options;
    if (pingIntervalMs > 0) repeatEvery(clock, pingIntervalMs, this.ended, () => this.#keepAlive()).catch(() => {});
  }

  /** @throws CallFailure, or the signal's reason when it aborts */
  call(request: Request, urgency: Urgency, signal: AbortSignal): Promise<JsonRecord> {
    return this.#calls.call(request, urgency, signal);
  }

  /** True if the peer answers a ping in time. */
  async answersPing(withinMs: number): Promise<boolean> {
    if (this.ended.aborted) return false;
    const over = new AbortController();
    let answered = false;
    const heard = () => {
      answered = true;
      over.abort();
    };
    this.#pongs.add(heard);
    this.ended.addEventListener("abort", () => over.abort(), { once: true, signal: over.signal });
    this.#guard(() => this.#socket.ping());
    await this.#options.clock.sleep(withinMs, over.signal).catch(() => {});
    this.#pongs.delete(heard);
    over.abort();
    return answered;
  }

  /** Closes properly, and by force where the peer does not take part. */
  async close(code: number, reason: string): Promise<void> {
    if (this.ended.aborted) return;
    this.#guard(() => this.#socket.close(code, reason));
    this.#onClose(reason);
    if (this.#socket.readyState === this.#socket.CLOSED) return;
    const closed = new AbortController();
    this.#socket.once("close", () => closed.abort());
    await this.#options.clock.sleep(CLOSE_WITHIN_MS, closed.signal).catch(() => {});
    this.#socket.terminate();
  }

  /** Ends the link at once, without a word to the peer. */
  drop(why: string): void {
    this.#socket.terminate();
    this.#onClose(why);
  }

  #onMessage(data: RawData, isBinary: boolean): void {
    // Frames that were already on their way when we hung up.
    if (this.ended.aborted) return;
    this.#heard = true;
    const frame = isBinary ? BINARY : parseFrame(data.toString(), this.version);
    if (frame.kind !== "bad") this.#nonsense = 0;
    if (frame.kind === "bad") this.#onBad(frame.fault, frame.about, frame.answerTo);
    else if (frame.kind === "call") this.#onCall(frame.id, frame.action, frame.payload);
    else if (frame.kind === "result") this.#calls.onResult(frame.id, frame.payload);
    else if (frame.kind === "error") this.#calls.onError(frame.id, frame.code, frame.description);
    else if (frame.kind === "send") this.#options.onSend(frame.action, frame.payload);
    else if (frame.kind === "result-error") this.#onResultError(frame.code, frame.description);
  }

  #onCall(id: string, action: string, payload: JsonRecord): void {
    try {
      const handled = this.#options.onCall(action, payload);
      if (!(handled instanceof Promise)) this.#answer(id, handled);
      else {
        handled
          .then((late) => this.#guard(() => this.#answer(id, late)))
          .catch((error: unknown) => this.#guard(() => this.#refuse(id, action, error)));
      }
    } catch (error) {
      this.#refuse(id, action, error);
    }
  }

  #answer(id: string, handled: Handled): void {
    this.#send(resultFrame(id, handled.answer));
    this.#options.onAnswered(handled);
  }

  #refuse(id: string, action: string, error: unknown): void {
    const refusal =
      error instanceof CallRefusal ? error : new CallRefusal("internal", "the message could not be handled");
    this.#options.log.warn("message from charger refused", { action: action.slice(0, 60), err: error });
    this.#send(errorFrame(this.version, id, refusal.about, refusal.message));
  }

  /** The charger could not read our answer. There is nothing to send again: it decides what it does without it. */
  #onResultError(code: string, description: string): void {
    this.#options.log.warn("the charger could not use our answer", { code, description });
  }

  #onUnusable(id: string, fault: string): void {
    const frame = resultErrorFrame(this.version, id, "payload", fault);
    if (frame !== undefined) this.#send(frame);
  }

  #onBad(fault: string, about: CallFault, answerTo: string | undefined): void {
    this.#nonsense += 1;
    this.#calls.onNonsense();
    if (this.#nonsense === 1) this.#options.log.warn("charger sent a frame that is no OCPP", { fault });
    if (answerTo !== undefined) this.#send(errorFrame(this.version, answerTo, about, fault));
    if (this.#nonsense >= MAX_NONSENSE) this.drop(`${MAX_NONSENSE} frames in a row were no OCPP`);
  }

  #send(frame: string): void {
    if (this.#socket.readyState !== this.#socket.OPEN) return;
    // The callback takes the error of a send that fails later; the close event follows it.
    this.#socket.send(frame, () => {});
    if (this.#socket.bufferedAmount > MAX_UNSENT_BYTES) this.drop("the charger does not read what it is sent");
  }

  #keepAlive(): void {
    if (this.#heard) {
      this.#heard = false;
      this.#guard(() => this.#socket.ping());
    } else {
      this.drop("no answer to the ping");
    }
  }

  #onClose(why: string): void {
    if (this.ended.aborted) return;
    this.#ended.abort(new Error(why));
    this.#calls.close(`the charger's link ended: ${why}`);
    this.#options.onClosed(why);
  }

  /** Nothing that a peer does may throw into the socket's event loop. */
  #guard(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#options.log.error("charger link: a message could not be handled", { err: error });
    }
  }
}
