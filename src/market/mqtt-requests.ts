import { randomUUID } from "node:crypto";
import type { IClientPublishOptions, IPublishPacket } from "mqtt";
import { readAnswer } from "./mqtt-envelope.ts";
import type { PostedAnswer } from "./post-message.ts";

/** Requests that may wait for their answers at the same time. */
const MAX_WAITING = 100;

export interface MqttRequestsOptions {
  /** The market takes requests here. */
  readonly requestTopic: string;
  /** Answers and callbacks are to come here. */
  readonly responseTopic: string;
  /** Resolves when the broker has it. */
  readonly publish: (topic: string, payload: string, options: IClientPublishOptions) => Promise<unknown>;
}

/**
 * Our own requests over MQTT 5 (OASIS MQTT 5.0, 4.10 request/response): each with a response topic and correlation data, by
 * which its answer is found. A request expires in the broker with its own time to live and is never retained.
 */
export class MqttRequests {
  readonly #options: MqttRequestsOptions;
  readonly #waiting = new Map<string, (answer: PostedAnswer) => void>();

  constructor(options: MqttRequestsOptions) {
    this.#options = options;
  }

  /** Sends a request and waits for its answer until `signal` aborts. @param expiresInMs after this it is of no use */
  async post(
    body: Uint8Array,
    authorization: string | undefined,
    expiresInMs: number,
    signal: AbortSignal,
  ): Promise<PostedAnswer> {
    const { requestTopic, responseTopic, publish } = this.#options;
    if (this.#waiting.size >= MAX_WAITING) throw new Error("too many requests wait for the market");
    const text = Buffer.from(body).toString("utf8");
    const correlation = randomUUID();
    try {
      return await new Promise<PostedAnswer>((resolve, reject) => {
        signal.addEventListener("abort", () => reject(signal.reason), { once: true });
        this.#waiting.set(correlation, resolve);
        publish(requestTopic, authorization === undefined ? text : JSON.stringify({ authorization, body: text }), {
          qos: 1,
          retain: false,
          properties: {
            responseTopic,
            correlationData: Buffer.from(correlation),
            messageExpiryInterval: Math.max(1, Math.ceil(expiresInMs / 1000)),
            contentType: "application/json",
          },
        }).catch(reject);
      });
    } finally {
      this.#waiting.delete(correlation);
    }
  }

  /**
   * Takes the answer to a request of ours. Callbacks carry the same correlation data, and are left alone.
   * @returns whether it was an answer
   */
  take({ properties, payload }: IPublishPacket): boolean {
    const correlation = properties?.correlationData?.toString("utf8");
    const bytes = typeof payload === "string" ? Buffer.from(payload) : payload;
    const answer = correlation === undefined ? undefined : readAnswer(bytes);
    if (answer === undefined) return false;
    this.#waiting.get(correlation ?? "")?.({ status: answer.status, body: Buffer.from(answer.body) });
    return true;
  }
}
