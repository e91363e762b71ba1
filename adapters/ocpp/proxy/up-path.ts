import type { Clock } from "../../../src/clock.ts";
import type { Log } from "../../../src/log.ts";
import { CallFailure } from "../link/call-queue.ts";
import { integerAt, type JsonRecord } from "../link/json.ts";
import type { OcppVersion } from "../version.ts";
import type { ProxyState } from "./proxy-state.ts";
import { mergedAnswer, upRule } from "./up-rules.ts";
import type { Queued, UpstreamQueue } from "./upstream-queue.ts";

/** A message on the bill that the backend refused so often will not be taken later either. */
const MAX_REFUSALS = 3;
const RETRY_MS = 5_000;

export interface UpPathOptions {
  readonly state: ProxyState;
  readonly queue: UpstreamQueue;
  readonly clock: Clock;
  readonly log: Log;
  /** How long a charger waits for the backend's word. */
  readonly answerWithinMs: number;
  /** Calls the backend; absent while it has not taken the charger's boot. */
  readonly backend: () => BackendCall | undefined;
  /** Requests of the backend whose reports are still to come. */
  readonly askedIds: ReadonlySet<number>;
  /** The backend has a name for a transaction now. */
  readonly onPaired: () => void;
}

/** @throws CallFailure */
export type BackendCall = (action: string, payload: JsonRecord) => Promise<JsonRecord>;

type Done = (answer: JsonRecord | undefined) => void;

/** The charger's messages on their way up: in their order, and with the backend's own names in them. */
export class UpPath {
  readonly #options: UpPathOptions;
  #draining = false;

  constructor(options: UpPathOptions) {
    this.#options = options;
  }

  /**
   * Passes a call of the charger on.
   * @param ours what we would answer
   * @returns the answer for the charger: ours, or the backend's where it has the say and is there in time
   */
  passOn(
    version: OcppVersion,
    action: string,
    payload: JsonRecord,
    ours: JsonRecord,
  ): JsonRecord | Promise<JsonRecord> {
    const { state, askedIds, backend } = this.#options;
    const rule = upRule(action, payload, askedIds);
    if (rule.kind === "keep") return ours;
    const call = backend();
    if (rule.kind === "ask") return call === undefined ? ours : this.#ask(call, action, payload, ours);
    const { keeping, topic } = rule;
    if (action === "StatusNotification" && topic !== undefined) state.noteStatus(topic, payload);

    const starts = version === "ocpp1.6" && action === "StartTransaction";
    const localId = starts ? integerAt(ours, "transactionId") : undefined;
    const message = {
      action,
      keeping,
      payload: localId === undefined ? payload : { ...payload, localId },
      ...(topic === undefined ? {} : { topic }),
    };
    if (!rule.waits || call === undefined) {
      this.send(message);
      return ours;
    }
    const answer = this.#inTime((done) => this.send({ ...message, onAnswer: done }));
    return answer.then((theirs) => (theirs === undefined ? ours : mergedAnswer(version, action, ours, theirs)));
  }

  /** Puts a message behind those that wait. */
  send(message: Omit<Queued, "refusals">): void {
    this.#options.queue.add(message).catch((error: unknown) => {
      this.#options.log.error("a message for the backend is only in memory", { action: message.action, err: error });
    });
    this.drain();
  }

  /** Sends what waits, one after the other, as long as the backend takes it. */
  drain(): void {
    if (this.#draining) return;
    this.#draining = true;
    this.#sendWaiting()
      .catch((error: unknown) => this.#options.log.error("passing messages to the backend failed", { err: error }))
      .finally(() => {
        this.#draining = false;
      });
  }

  #ask(call: BackendCall, action: string, payload: JsonRecord, ours: JsonRecord): Promise<JsonRecord> {
    return this.#inTime((done) => {
      call(action, payload).then(done, () => done(undefined));
    }).then((theirs) => theirs ?? ours);
  }

  async #inTime(send: (done: Done) => void): Promise<JsonRecord | undefined> {
    const { clock, answerWithinMs } = this.#options;
    const answered = new AbortController();
    let theirs: JsonRecord | undefined;
    send((answer) => {
      theirs = answer;
      answered.abort("answered");
    });
    await clock.sleep(answerWithinMs, answered.signal).catch(() => {});
    return theirs;
  }

  async #sendWaiting(): Promise<void> {
    const { queue, backend, clock } = this.#options;
    for (;;) {
      const message = queue.oldest;
      const call = backend();
      if (message === undefined || call === undefined) return;
      const payload = this.#forBackend(message);
      if (payload === undefined) {
        await queue.remove(message);
        continue;
      }
      try {
        const answer = await call(message.action, payload);
        await this.#noteName(message, answer);
        await queue.remove(message);
        message.onAnswer?.(answer);
      } catch (error) {
        if (!(error instanceof CallFailure) || error.fault === "unreachable") return;
        if (await this.#givenUp(message, error)) continue;
        await clock.sleep(RETRY_MS);
      }
    }
  }

  /** One that the backend refuses must not keep all that is behind it from arriving. */
  async #givenUp(message: Queued, error: CallFailure): Promise<boolean> {
    message.refusals += 1;
    if (message.refusals < (message.keeping === "transaction" ? MAX_REFUSALS : 1)) return false;
    this.#options.log.warn("the backend does not take a message; it is given up", {
      action: message.action,
      reason: error.message,
    });
    await this.#options.queue.remove(message);
    message.onAnswer?.(undefined);
    return true;
  }

  /** The backend's name for a transaction that the charger knows by ours. */
  async #noteName({ action, payload }: Queued, answer: JsonRecord): Promise<void> {
    const localId = integerAt(payload, "localId");
    const backendId = integerAt(answer, "transactionId");
    if (action !== "StartTransaction" || localId === undefined || backendId === undefined) return;
    this.#options.state.ids.pair(localId, backendId);
    await this.#options.state.save();
    this.#options.onPaired();
  }

  /** The message with the backend's own names in it; nothing where it means nothing to the backend. */
  #forBackend({ action, payload }: Queued): JsonRecord | undefined {
    const { localId: _ours, ...rest } = payload;
    // Only 1.6 has names of the central system; those of 2.x are text.
    const transactionId = rest["transactionId"];
    if (typeof transactionId !== "number" || (action !== "MeterValues" && action !== "StopTransaction")) return rest;
    const backendId = this.#options.state.ids.backendId(transactionId);
    if (backendId !== undefined) return { ...rest, transactionId: backendId };
    if (action === "StopTransaction") {
      this.#options.log.warn("the backend never took the start of a transaction; its stop is not sent", {
        transactionId,
      });
      return undefined;
    }
    const { transactionId: _unknown, ...sample } = rest;
    return sample;
  }
}
