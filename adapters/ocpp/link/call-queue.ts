import { randomUUID } from "node:crypto";
import type { Clock } from "../../../src/clock.ts";
import type { DeviceFault } from "../../../src/model/adapter.ts";
import type { Request } from "../messages/dialect.ts";
import { callFrame } from "./frame.ts";
import { isRecord, type JsonRecord } from "./json.ts";

/** Why a call to a charger gave no answer that can be used. The fault is the adapter's; whose ERA it is, the caller knows. */
export class CallFailure extends Error {
  override readonly name = "CallFailure";
  readonly fault: DeviceFault;
  /** Of the CALLERROR with which the charger answered; absent where it failed otherwise. */
  readonly code: string | undefined;

  constructor(fault: DeviceFault, message: string, code?: string) {
    super(message);
    this.fault = fault;
    this.code = code;
  }
}

/** A command goes before what only sets the charger up or asks it something. */
export type Urgency = "command" | "background";

interface Waiting extends Request {
  readonly timeoutMs: number;
  readonly resolve: (payload: JsonRecord) => void;
  readonly reject: (reason: unknown) => void;
}

/** Where a queue puts its frames: the link that it belongs to. */
export interface CallSender {
  sendFrame(frame: string): void;
  /** Called for an answer that nothing can be made of, with the id of its call. */
  onUnusable(id: string, fault: string): void;
}

interface InFlight extends Waiting {
  readonly id: string;
  /** Ends the wait for the answer; there as soon as the frame is out. */
  deadline?: AbortController;
  readonly nonsenseBefore: number;
}

const MAX_WAITING = 32;

/** Without a reason of ours each abort makes an exception with its stack, once for every call. */
const ANSWERED = "answered";

/** A charger that does not answer a question may not hold up a command for the whole of a call's time. */
const BACKGROUND_TIMEOUT_MS = 5000;

/**
 * Calls to one charger. At most one is outstanding (OCPP-J 1.6, 4.1.1); the next one goes out when the charger has
 * answered or its time is over. An answer that comes later than that is ignored.
 */
export class CallQueue {
  readonly #clock: Clock;
  readonly #timeoutMs: number;
  readonly #sender: CallSender;
  #commands: Waiting[] | undefined;
  #background: Waiting[] | undefined;
  #inFlight: InFlight | undefined;
  #closed: CallFailure | undefined;
  #nonsense = 0;

  constructor(clock: Clock, timeoutMs: number, sender: CallSender) {
    this.#clock = clock;
    this.#timeoutMs = timeoutMs;
    this.#sender = sender;
  }

  /**
   * @throws CallFailure, or the signal's reason when it aborts; an aborted call that is already out still keeps the
   * next one waiting, since the charger may be working on it
   */
  call(request: Request, urgency: Urgency, signal: AbortSignal): Promise<JsonRecord> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason);
      if (this.#closed !== undefined) return reject(this.#closed);
      const queue = this.#queue(urgency);
      if (queue.length >= MAX_WAITING) {
        return reject(
          new CallFailure("timeout", `${request.action} not sent: ${MAX_WAITING} calls wait for the charger already`),
        );
      }
      const onAbort = () => {
        const place = queue.indexOf(job);
        if (place >= 0) queue.splice(place, 1);
        reject(signal.reason);
      };
      const leave = () => signal.removeEventListener("abort", onAbort);
      const job: Waiting = {
        ...request,
        timeoutMs: urgency === "command" ? this.#timeoutMs : Math.min(this.#timeoutMs, BACKGROUND_TIMEOUT_MS),
        resolve: (answer) => {
          leave();
          resolve(answer);
        },
        reject: (reason) => {
          leave();
          reject(reason);
        },
      };
      queue.push(job);
      // Sent first, so that nothing is set up before a command is on its way.
      this.#next();
      signal.addEventListener("abort", onAbort, { once: true });
    });
  }

  /** True while nothing is out and nothing waits. */
  get isIdle(): boolean {
    return this.#inFlight === undefined && !this.#commands?.length && !this.#background?.length;
  }

  onResult(id: string, payload: unknown): void {
    const call = this.#take(id);
    if (call === undefined) return;
    const refuse = (fault: string) => {
      this.#sender.onUnusable(id, fault);
      call.reject(new CallFailure("protocol", `${call.action} was answered with ${fault}`));
    };
    if (!isRecord(payload)) {
      refuse("a payload that is no object");
    } else {
      const fault = call.unusable?.(payload);
      if (fault === undefined) call.resolve(payload);
      else refuse(fault);
    }
    this.#next();
  }

  onError(id: string, code: string, description: string): void {
    const call = this.#take(id);
    if (call === undefined) return;
    const words = description === "" ? code : `${code} (${description})`;
    call.reject(new CallFailure("refused", `${call.action} answered ${words}`, code));
    this.#next();
  }

  /** Something came that is no OCPP; a call that then gets no answer failed by that, and not by silence. */
  onNonsense(): void {
    this.#nonsense += 1;
  }

  /** Ends everything that waits. */
  close(reason: string): void {
    this.#closed = new CallFailure("unreachable", reason);
    const call = this.#inFlight;
    this.#inFlight = undefined;
    call?.deadline?.abort(ANSWERED);
    const waiting = [...(this.#commands ?? []), ...(this.#background ?? [])];
    this.#commands = undefined;
    this.#background = undefined;
    for (const job of [...(call === undefined ? [] : [call]), ...waiting]) job.reject(this.#closed);
  }

  #queue(urgency: Urgency): Waiting[] {
    if (urgency === "command") {
      this.#commands ??= [];
      return this.#commands;
    }
    this.#background ??= [];
    return this.#background;
  }

  #take(id: string): InFlight | undefined {
    const call = this.#inFlight;
    if (call === undefined || call.id !== id) return undefined;
    this.#inFlight = undefined;
    call.deadline?.abort(ANSWERED);
    return call;
  }

  #next(): void {
    if (this.#inFlight !== undefined || this.#closed !== undefined) return;
    const job = this.#commands?.shift() ?? this.#background?.shift();
    if (job === undefined) return;
    const call: InFlight = {
      ...job,
      id: randomUUID(),
      nonsenseBefore: this.#nonsense,
    };
    this.#inFlight = call;
    this.#sender.sendFrame(callFrame(call.id, call.action, call.payload));
    const deadline = new AbortController();
    call.deadline = deadline;
    this.#clock.sleep(call.timeoutMs, deadline.signal).then(
      () => this.#expire(call),
      () => {},
    );
  }

  #expire(call: InFlight): void {
    if (this.#inFlight !== call) return;
    this.#inFlight = undefined;
    const garbled = this.#nonsense > call.nonsenseBefore;
    call.reject(
      garbled
        ? new CallFailure("protocol", `${call.action} got nothing but frames that are no OCPP`)
        : new CallFailure("timeout", `${call.action} got no answer within ${call.timeoutMs} ms`),
    );
    this.#next();
  }
}
