import type { RawData, WebSocket } from "ws";
import type { Clock } from "../../../src/clock.ts";
import type { Log } from "../../../src/log.ts";
import type { Request } from "../messages/dialect.ts";
import type { Handled } from "../messages/events.ts";
import type { OcppVersion } from "../version.ts";
import type { AnswerBatch, FrameSink } from "./answer-batch.ts";
import { Backlog, type FrameText } from "./backlog.ts";
import { CallFailure, CallQueue, type CallSender, type Urgency } from "./call-queue.ts";
import { fingerprint } from "./fingerprint.ts";
import {
  type CallFault,
  CallRefusal,
  errorFrame,
  type Frame,
  parseFrame,
  resultErrorFrame,
  resultFrame,
} from "./frame.ts";
import { InboundPace } from "./inbound-pace.ts";
import type { JsonRecord } from "./json.ts";
import type { LinkWatch, Watched } from "./link-watch.ts";

/** What all links of a port have in common. */
export interface LinkSettings {
  readonly clock: Clock;
  /** Uniform in [0, 1); only for jitter. */
  readonly random: () => number;
  readonly watch: LinkWatch;
  /** Where the answers to what the chargers say go out. */
  readonly answers: AnswerBatch;
  readonly callTimeoutMs: number;
  /** 0: no keepalive of our own. */
  readonly pingIntervalMs: number;
  /** A link on which no OCPP came for so long after the handshake is closed. */
  readonly bootTimeoutMs: number;
  readonly maxMessagesPerS: number;
}

/** What a charger does that is no OCPP, in the words of the counters. */
export type Misconduct = "bad-frame" | "rate-limited" | "flood" | "nonsense" | "oversized" | "unread" | "silent";

/** Whoever a link belongs to. One object and no callbacks: there is one for each charger. */
export interface LinkOwner {
  readonly log: Log;
  /** Answers a call; what it throws becomes a CALLERROR. A promise is for an answer that somebody else has to give. */
  onCall(action: string, payload: JsonRecord): Handled | Promise<Handled>;
  /** Takes a message that is never answered; what it throws is logged. */
  onSend(action: string, payload: JsonRecord): void;
  /** Called when the answer is on its way, so that the charger knows it before anything follows from it. */
  onAnswered(handled: Handled): void;
  onMisconduct(what: Misconduct): void;
  /** Looked at every second or so while the link is open. */
  onLook(nowMs: number): void;
  onClosed(why: string): void;
}

/** Unsent bytes at which a peer that does not read is given up. */
const MAX_UNSENT_BYTES = 1024 * 1024;

/** Frames in a row that are no OCPP, after which the link is closed; four good ones make up for one. */
const MAX_NONSENSE = 100;
const GOOD_FOR_ONE = 4;

/** A charger that does the same wrong thing all day is told of once in this time, with how often it was. */
const TELL_EVERY_MS = 600_000;

const CLOSE_WITHIN_MS = 1000;

/** RFC 6455, 7.4.1. */
const POLICY_VIOLATION = 1008;

/** OCPP-J is text; what a binary frame holds has no id to answer to. */
const BINARY: Frame = { kind: "bad", about: "frame", fault: "a binary frame" };

/** The link that a socket belongs to, so that all sockets share their listeners. */
const LINK = Symbol("link");
type LinkedSocket = WebSocket & { [LINK]: ChargerLink };

function onMessage(this: WebSocket, data: RawData, isBinary: boolean): void {
  (this as LinkedSocket)[LINK].onFrame(isBinary ? undefined : data.toString());
}

function onPong(this: WebSocket): void {
  (this as LinkedSocket)[LINK].onPong();
}

function onError(this: WebSocket, error: Error): void {
  (this as LinkedSocket)[LINK].onSocketError(error);
}

function onClose(this: WebSocket, code: number, reason: Buffer): void {
  (this as LinkedSocket)[LINK].onClosed(`closed with ${code} ${reason.toString("utf8")}`.trim());
}

/** One OCPP-J connection: frames in and out, one outstanding call, keepalive. Lenient in what it takes. */
export class ChargerLink implements CallSender, FrameSink, Watched {
  readonly version: OcppVersion;
  readonly #socket: WebSocket;
  readonly #settings: LinkSettings;
  readonly #owner: LinkOwner;
  readonly #pace: InboundPace;
  /** Absent while the charger is asked nothing. */
  #calls: CallQueue | undefined;
  /**
   * The last call and its answer. A charger that missed the answer sends the same frame again, with the same id, and gets
   * the same answer without anything happening twice. The id alone says too little: there are chargers that count anew.
   */
  #lastId: string | undefined;
  #lastPrint = 0;
  #lastAnswer: string | undefined;
  /** Elapsed ms by which it has to say something in OCPP; absent once it has. */
  #speakByMs: number | undefined;
  #backlog: Backlog | undefined;
  /** Made when somebody wants to know of the end. */
  #ended: AbortController | undefined;
  #endedWhy: Error | undefined;
  #heard = true;
  #pingAtMs: number;
  #nonsense = 0;
  #faults = 0;
  #tellAtMs = 0;
  #pongs: (() => void)[] | undefined;

  constructor(socket: WebSocket, version: OcppVersion, settings: LinkSettings, owner: LinkOwner) {
    const { clock, maxMessagesPerS, bootTimeoutMs } = settings;
    const nowMs = clock.elapsedMs();
    this.version = version;
    this.#socket = socket;
    this.#settings = settings;
    this.#owner = owner;
    this.#speakByMs = nowMs + bootTimeoutMs;
    this.#pace = new InboundPace(maxMessagesPerS, nowMs);
    this.#pingAtMs = this.#nextPingMs(nowMs);
  }

  /** Aborts when the connection has ended. */
  get ended(): AbortSignal {
    this.#ended ??= new AbortController();
    if (this.#endedWhy !== undefined && !this.#ended.signal.aborted) this.#ended.abort(this.#endedWhy);
    return this.#ended.signal;
  }

  get isOpen(): boolean {
    return this.#endedWhy === undefined;
  }

  /** Begins to listen; frames that came before are still there. */
  open(): void {
    const socket = this.#socket as LinkedSocket;
    socket[LINK] = this;
    socket.on("message", onMessage);
    socket.on("pong", onPong);
    socket.on("error", onError);
    socket.on("close", onClose);
    this.#settings.watch.add(this);
  }

  /** @throws CallFailure, or the signal's reason when it aborts */
  call(request: Request, urgency: Urgency, signal: AbortSignal): Promise<JsonRecord> {
    if (this.#endedWhy !== undefined) {
      return Promise.reject(new CallFailure("unreachable", `the charger's link ended: ${this.#endedWhy.message}`));
    }
    const { clock, callTimeoutMs } = this.#settings;
    this.#calls ??= new CallQueue(clock, callTimeoutMs, this);
    return this.#calls.call(request, urgency, signal);
  }

  /** True if the peer answers a ping in time. */
  async answersPing(withinMs: number): Promise<boolean> {
    if (!this.isOpen) return false;
    // It has more to say than we read at the moment, so its pong would come too late.
    if (this.#backlog !== undefined) return true;
    const over = new AbortController();
    let answered = false;
    this.#pongs ??= [];
    this.#pongs.push(() => {
      answered = true;
      over.abort();
    });
    this.ended.addEventListener("abort", () => over.abort(), { once: true, signal: over.signal });
    this.#guard(() => this.#socket.ping());
    await this.#settings.clock.sleep(withinMs, over.signal).catch(() => {});
    over.abort();
    return answered && this.isOpen;
  }

  /** Closes properly, and by force where the peer does not take part. */
  async close(code: number, reason: string): Promise<void> {
    if (!this.isOpen) return;
    this.#settings.answers.flush();
    this.#guard(() => this.#socket.close(code, reason));
    this.onClosed(reason);
    if (this.#socket.readyState === this.#socket.CLOSED) return;
    const closed = new AbortController();
    this.#socket.once("close", () => closed.abort());
    await this.#settings.clock.sleep(CLOSE_WITHIN_MS, closed.signal).catch(() => {});
    this.#socket.terminate();
  }

  /** Ends the link at once, without a word to the peer. */
  drop(why: string): void {
    this.#socket.terminate();
    this.onClosed(why);
  }

  /** Keepalive, and an end to a link on which nothing comes. */
  look(nowMs: number): void {
    const { pingIntervalMs, bootTimeoutMs } = this.#settings;
    if (this.#speakByMs !== undefined && nowMs > this.#speakByMs) {
      this.#expel("silent", `no OCPP message within ${bootTimeoutMs / 1000} s of the connection`);
      return;
    }
    if (pingIntervalMs > 0 && nowMs >= this.#pingAtMs) {
      if (!this.#heard) {
        this.drop("no answer to the ping");
        return;
      }
      this.#heard = false;
      this.#pingAtMs = this.#nextPingMs(nowMs);
      this.#guard(() => this.#socket.ping());
    }
    this.#owner.onLook(nowMs);
  }

  onFrame(text: FrameText): void {
    // Frames that were already on their way when we hung up.
    if (!this.isOpen) return;
    this.#heard = true;
    if (this.#backlog === undefined) {
      const { clock } = this.#settings;
      if (this.#pace.waitMs(text?.length ?? 0, clock.elapsedMs()) === 0) {
        this.#take(text);
        return;
      }
      this.#holdUp(new Backlog(clock, this.#pace));
    }
    const backlog = this.#backlog as Backlog | undefined;
    backlog?.add(text);
    if (backlog?.isFlood) this.#expel("flood", "it sent more messages than it may");
  }

  /** Writes at once, behind the answers that wait. */
  sendFrame(frame: string): void {
    this.#settings.answers.flush();
    this.write(frame);
  }

  /** Never throws: an answer may go out among those of others. */
  write(frame: string): void {
    if (this.#socket.readyState !== this.#socket.OPEN) return;
    try {
      // A send that fails later ends in the socket's own error and close.
      this.#socket.send(frame);
    } catch (error) {
      this.#owner.log.error("charger link: the socket failed", { err: error });
    }
    if (this.#socket.bufferedAmount > MAX_UNSENT_BYTES) {
      this.#owner.onMisconduct("unread");
      this.drop("the charger does not read what it is sent");
    }
  }

  onUnusable(id: string, fault: string): void {
    const frame = resultErrorFrame(this.version, id, "payload", fault);
    if (frame !== undefined) this.sendFrame(frame);
  }

  onPong(): void {
    this.#heard = true;
    const pongs = this.#pongs;
    this.#pongs = undefined;
    for (const heard of pongs ?? []) heard();
  }

  onSocketError(error: Error): void {
    // What `ws` does not take: a frame that is too long, or one that breaks the framing. It ends the link by itself.
    const { code } = error as { code?: string };
    if (code === "WS_ERR_UNSUPPORTED_MESSAGE_LENGTH") this.#owner.onMisconduct("oversized");
    else if (code?.startsWith("WS_ERR_")) this.#owner.onMisconduct("nonsense");
    this.#owner.log.warn("charger link broke", { err: error });
  }

  onClosed(why: string): void {
    if (!this.isOpen) return;
    this.#endedWhy = new Error(why);
    this.#settings.watch.remove(this);
    this.#ended?.abort(this.#endedWhy);
    this.#calls?.close(`the charger's link ended: ${why}`);
    this.#owner.onClosed(why);
  }

  /** The socket is not read until what was read already has had its turn. */
  #holdUp(backlog: Backlog): void {
    this.#backlog = backlog;
    this.#socket.pause();
    this.#owner.onMisconduct("rate-limited");
    const work = async () => {
      // What comes in the same breath as this frame is to be in the backlog before it runs.
      await Promise.resolve();
      await backlog.run((frame) => this.#take(frame), this.ended);
      this.#backlog = undefined;
      this.#socket.resume();
    };
    // The link ended meanwhile.
    work().catch(() => {});
  }

  #take(text: FrameText): void {
    try {
      const frame = text === undefined ? BINARY : parseFrame(text, this.version);
      if (frame.kind === "bad") {
        this.#onBad(frame.fault, frame.about, frame.answerTo);
        return;
      }
      this.#nonsense = Math.max(0, this.#nonsense - 1 / GOOD_FOR_ONE);
      if (frame.kind === "empty") return;
      this.#speakByMs = undefined;
      if (frame.kind === "call") this.#onCall(text ?? "", frame.id, frame.action, frame.payload);
      else if (frame.kind === "send") this.#owner.onSend(frame.action, frame.payload);
      else if (frame.kind === "result-error") this.#onResultError(frame.code, frame.description);
      else this.#onAnswer(frame);
    } catch (error) {
      this.#owner.log.error("charger link: a message could not be handled", { err: error });
    }
  }

  #onCall(text: string, id: string, action: string, payload: JsonRecord): void {
    // The frame itself would be half a kilobyte for each charger.
    const print = fingerprint(text);
    if (id === this.#lastId && print === this.#lastPrint) {
      // None yet where somebody else has to give it; then it goes out once, when it is there.
      if (this.#lastAnswer !== undefined) this.sendFrame(this.#lastAnswer);
      return;
    }
    try {
      const handled = this.#owner.onCall(action, payload);
      this.#lastId = id;
      this.#lastPrint = print;
      this.#lastAnswer = undefined;
      if (!(handled instanceof Promise)) {
        this.#answer(id, print, handled);
        return;
      }
      handled
        .then((late) => this.#guard(() => this.#answer(id, print, late)))
        .catch((error: unknown) => this.#guard(() => this.#refuse(id, action, error)));
    } catch (error) {
      this.#refuse(id, action, error);
    }
  }

  #answer(id: string, print: number, handled: Handled): void {
    const answer = resultFrame(id, handled.answer);
    // Another call may have come meanwhile.
    if (this.#lastId === id && this.#lastPrint === print) this.#lastAnswer = answer;
    this.#settings.answers.add(this, answer);
    this.#owner.onAnswered(handled);
  }

  #refuse(id: string, action: string, error: unknown): void {
    // Sent again it is looked at again.
    if (this.#lastId === id) this.#lastId = undefined;
    const refusal =
      error instanceof CallRefusal ? error : new CallRefusal("internal", "the message could not be handled");
    this.#tellFault(`${action.slice(0, 60)}: ${refusal.message}`, refusal === error ? undefined : error);
    this.sendFrame(errorFrame(this.version, id, refusal.about, refusal.message));
  }

  /** The charger could not read our answer. There is nothing to send again: it decides what it does without it. */
  #onResultError(code: string, description: string): void {
    this.#owner.log.warn("the charger could not use our answer", { code, description });
  }

  /** An answer that nobody waits for any more is no fault of the charger's. */
  #onAnswer(frame: Extract<Frame, { kind: "result" | "error" }>): void {
    const calls = this.#calls;
    if (calls === undefined) return;
    if (frame.kind === "result") calls.onResult(frame.id, frame.payload);
    else calls.onError(frame.id, frame.code, frame.description);
    if (calls.isIdle) this.#calls = undefined;
  }

  #onBad(fault: string, about: CallFault, answerTo: string | undefined): void {
    this.#nonsense += 1;
    this.#calls?.onNonsense();
    this.#owner.onMisconduct("bad-frame");
    this.#tellFault(fault);
    if (answerTo !== undefined) this.sendFrame(errorFrame(this.version, answerTo, about, fault));
    if (this.#nonsense >= MAX_NONSENSE) this.#expel("nonsense", `${MAX_NONSENSE} frames in a row were no OCPP`);
  }

  /** @param error where the fault is ours */
  #tellFault(fault: string, error?: unknown): void {
    this.#faults += 1;
    const nowMs = this.#settings.clock.elapsedMs();
    if (nowMs < this.#tellAtMs) return;
    this.#tellAtMs = nowMs + TELL_EVERY_MS;
    const told = { fault, since: this.#faults };
    if (error === undefined) this.#owner.log.warn("charger sent what cannot be taken", told);
    else this.#owner.log.error("a message of the charger could not be handled", { ...told, err: error });
    this.#faults = 0;
  }

  /** Closes with a word to the peer, which may or may not hear it. */
  #expel(what: Misconduct, why: string): void {
    if (!this.isOpen) return;
    this.#owner.onMisconduct(what);
    this.#settings.answers.flush();
    this.#guard(() => this.#socket.close(POLICY_VIOLATION, why));
    this.drop(why);
  }

  /** Spread out: after a restart all chargers come back in the same moment. */
  #nextPingMs(nowMs: number): number {
    const { pingIntervalMs, random } = this.#settings;
    return nowMs + pingIntervalMs * (0.75 + 0.25 * random());
  }

  /** Nothing that a peer does may throw into the socket's event loop. */
  #guard(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#owner.log.error("charger link: the socket failed", { err: error });
    }
  }
}
