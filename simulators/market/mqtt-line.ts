import { connect, type MqttClient } from "mqtt";
import type { Log } from "../../src/log.ts";
import { type ParticipantAnswer, participantAnswer } from "./answer.ts";

const MAX_WAITING = 1000;
const MAX_ANSWER_BYTES = 64 * 1024;
const ANSWER_TOPIC = /^setpointd\/([^/]+)\/out$/;

/**
 * Callbacks through a broker, for participants that nobody can dial. A callback goes to `setpointd/<subscriber>/in` as
 * `{"authorization": …, "body": <the raw JSON as a string>}`, QoS 1 and not retained; the participant answers on
 * `setpointd/<subscriber>/out` with `{"message_id": …}` beside its ACK or NACK, which may stand in `answer`.
 */
export class MqttLine implements AsyncDisposable {
  readonly #url: string;
  readonly #log: Log;
  readonly #waiting = new Map<string, (answer: ParticipantAnswer) => void>();
  #client: MqttClient | undefined;

  constructor(url: string, log: Log) {
    this.#url = url;
    this.#log = log;
  }

  /** Begins to connect, and keeps at it; a broker that is not there delays nobody. */
  start(): void {
    const client = connect(this.#url, {
      protocolVersion: 4,
      clean: true,
      reconnectPeriod: 500,
      connectTimeout: 5000,
      resubscribe: false,
    });
    client.on("error", (error) => this.#log.warn("broker", { reason: error.message }));
    // The session is a clean one, so every connection asks anew.
    client.on("connect", () => {
      client.subscribe("setpointd/+/out", { qos: 1 }, (error) => {
        if (error) this.#log.warn("broker refused the subscription", { reason: error.message });
      });
    });
    client.on("message", (topic, payload) => this.#receive(topic, payload));
    this.#client = client;
  }

  /** @throws Error if the broker is away, too many answers are awaited, or `signal` aborts before the answer */
  async send(
    subscriberId: string,
    messageId: string,
    envelope: { authorization: string; body: string },
    signal: AbortSignal,
  ): Promise<ParticipantAnswer> {
    const client = this.#client;
    if (client === undefined || !client.connected) throw new Error("the broker is not connected");
    if (this.#waiting.size >= MAX_WAITING) throw new Error(`${MAX_WAITING} answers are awaited already`);
    const key = `${subscriberId}|${messageId}`;
    const answered = new Promise<ParticipantAnswer>((resolve, reject) => {
      this.#waiting.set(key, resolve);
      signal.addEventListener("abort", () => reject(signal.reason), { once: true });
    });
    answered.catch(() => {});
    try {
      signal.throwIfAborted();
      await client.publishAsync(`setpointd/${subscriberId}/in`, JSON.stringify(envelope), { qos: 1, retain: false });
      return await answered;
    } finally {
      this.#waiting.delete(key);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client?.endAsync(true);
  }

  #receive(topic: string, payload: Buffer): void {
    const subscriberId = ANSWER_TOPIC.exec(topic)?.[1];
    if (subscriberId === undefined || payload.length > MAX_ANSWER_BYTES) return;
    let body: unknown;
    try {
      body = JSON.parse(payload.toString("utf8"));
    } catch {
      this.#log.warn("answer over MQTT is not JSON", { subscriberId });
      return;
    }
    if (typeof body !== "object" || body === null || !("message_id" in body)) return;
    const answer = participantAnswer("answer" in body ? body.answer : body);
    if (answer !== undefined) this.#waiting.get(`${subscriberId}|${body.message_id}`)?.(answer);
  }
}
