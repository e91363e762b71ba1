import { backoffMs, type Clock, withDeadline } from "../../src/clock.ts";
import type { Log } from "../../src/log.ts";
import { createRng, type Rng } from "../world/rng.ts";
import type { ParticipantAnswer } from "./answer.ts";
import type { Callback } from "./callback.ts";
import { HttpLine } from "./http-line.ts";
import { MqttLine } from "./mqtt-line.ts";
import { authorization, type SigningKey } from "./signature.ts";

const ATTEMPTS = 3;
/** What Beckn allows a participant for its answer, and the least that is given even when the market is in a hurry. */
const ANSWER_WITHIN_MS = 5000;
const LEAST_ANSWER_MS = 250;
const BACKOFF_MS = 100;
/** Most callbacks on their way to one participant; more are dropped, since newer ones follow at the next gate. */
const MAX_UNDER_WAY = 1000;

export interface DeliveryOptions {
  readonly key: SigningKey;
  readonly clock: Clock;
  readonly log: Log;
  readonly seed: number;
  readonly mqttUrl?: string;
  /** True for a resource whose callbacks go through the broker although its participant has an HTTP address. */
  readonly deliverOverMqtt?: (era: string) => boolean;
}

/** Brings callbacks to participants: signs, sends, waits for the answer, tries again. One that is stuck delays no other. */
export class Delivery implements AsyncDisposable {
  readonly #options: DeliveryOptions;
  readonly #random: Rng;
  readonly #http = new HttpLine();
  readonly #mqtt: MqttLine | undefined;
  readonly #stop = new AbortController();
  readonly #underWay = new Map<string, number>();

  constructor(options: DeliveryOptions) {
    this.#options = options;
    this.#random = createRng(options.seed).fork("delivery");
    this.#mqtt = options.mqttUrl === undefined ? undefined : new MqttLine(options.mqttUrl, options.log);
  }

  get hasBroker(): boolean {
    return this.#mqtt !== undefined;
  }

  start(): void {
    this.#mqtt?.start();
  }

  /** Which way a callback about this resource takes. */
  wayOf(era: string, bapUri: string): "http" | "mqtt" {
    if (bapUri.startsWith("mqtt:")) return "mqtt";
    return this.#mqtt !== undefined && this.#options.deliverOverMqtt?.(era) === true ? "mqtt" : "http";
  }

  /**
   * @param withinMs elapsed ms after which the message is of no use and is not tried again
   * @returns the participant's answer
   * @throws Error with the last reason if no try brought an answer
   */
  async deliver(callback: Callback, withinMs: number): Promise<ParticipantAnswer> {
    const { bapId } = callback.transaction;
    const underWay = this.#underWay.get(bapId) ?? 0;
    if (underWay >= MAX_UNDER_WAY) throw new Error(`${MAX_UNDER_WAY} callbacks to ${bapId} are under way already`);
    this.#underWay.set(bapId, underWay + 1);
    try {
      return await this.#tryRepeatedly(callback, withinMs);
    } finally {
      const left = (this.#underWay.get(bapId) ?? 1) - 1;
      if (left > 0) this.#underWay.set(bapId, left);
      else this.#underWay.delete(bapId);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort(new Error("the market is closing"));
    this.#http[Symbol.dispose]();
    await this.#mqtt?.[Symbol.asyncDispose]();
  }

  async #tryRepeatedly(callback: Callback, withinMs: number): Promise<ParticipantAnswer> {
    const { clock } = this.#options;
    const giveUpAtMs = clock.elapsedMs() + withinMs;
    // Short enough that a lost message leaves time for the other tries.
    const answerMs = Math.min(ANSWER_WITHIN_MS, Math.max(LEAST_ANSWER_MS, Math.ceil(withinMs / ATTEMPTS)));
    for (let attempt = 1; ; attempt++) {
      try {
        const leftMs = Math.max(Math.ceil(giveUpAtMs - clock.elapsedMs()), 1);
        return await withDeadline(clock, Math.min(answerMs, leftMs), this.#stop.signal, (signal) =>
          this.#send(callback, signal),
        );
      } catch (error) {
        const pauseMs = backoffMs(attempt, BACKOFF_MS, 2000, () => this.#random.next());
        const isLast = attempt >= ATTEMPTS || clock.elapsedMs() + pauseMs >= giveUpAtMs;
        if (isLast || this.#stop.signal.aborted) throw error;
        await clock.sleep(pauseMs, this.#stop.signal);
      }
    }
  }

  async #send(callback: Callback, signal: AbortSignal): Promise<ParticipantAnswer> {
    const { key, clock } = this.#options;
    const { transaction, body, messageId, action } = callback;
    const signature = authorization(key, body, clock.now());
    if (this.wayOf(transaction.era, transaction.bapUri) === "http") {
      return await this.#http.send(`${transaction.bapUri.replace(/\/+$/, "")}/${action}`, signature, body, signal);
    }
    if (this.#mqtt === undefined) throw new Error("no broker is configured");
    return await this.#mqtt.send(transaction.bapId, messageId, { authorization: signature, body }, signal);
  }
}
