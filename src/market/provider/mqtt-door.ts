import { connect, type IPublishPacket, type MqttClient } from "mqtt";
import { backoffMs, type Clock } from "../../clock.ts";
import type { Log } from "../../log.ts";
import { type Answer, nackOf, Refusal } from "../answer.ts";
import type { InboundMessage } from "../message-body.ts";
import { answerText, openEnvelope } from "../mqtt-envelope.ts";
import { Declined, nackIn } from "./declined.ts";
import type { ReplyAddress } from "./provider-records.ts";

type MqttAddress = Extract<ReplyAddress, { kind: "mqtt" }>;

const BACKOFF_BASE_MS = 1000;
const BACKOFF_CAP_MS = 60_000;
const CONNECT_TIMEOUT_MS = 10_000;
const MAX_TOPIC_LENGTH = 512;
const MAX_CORRELATION_BYTES = 256;
/** An answer says whether a message was taken; after this nobody waits for it. */
const ANSWER_EXPIRY_MS = 60_000;

export interface MqttDoorOptions {
  /** `mqtt://` or `mqtts://`; the broker has to speak MQTT 5. */
  readonly url: string;
  /** Requests come here. */
  readonly requestTopic: string;
  /** Answers go only to topics that begin with this. */
  readonly responsePrefix: string;
  readonly clientId?: string;
  readonly username?: string;
  readonly password?: string;
  /** PEM, for a broker whose certificate no public authority signed. */
  readonly ca?: string;
  readonly requireSignature: boolean;
  readonly receive: (message: InboundMessage, replyTo: MqttAddress | undefined) => Promise<Answer>;
  readonly clock: Clock;
  readonly log: Log;
  readonly random: () => number;
}

/**
 * The market's door over MQTT 5 (OASIS MQTT 5.0, 4.10 request/response): requests come on one topic, the answer and all
 * callbacks go to the response topic that the request names, with its correlation data. Whatever is sent expires with its
 * own time to live and is never retained; what comes retained is refused, since it would come again at each connection.
 */
export class MqttDoor implements AsyncDisposable {
  readonly #options: MqttDoorOptions;
  readonly #stop = new AbortController();
  #client: MqttClient | undefined;
  #subscribed = false;
  #failures = 0;

  constructor(options: MqttDoorOptions) {
    this.#options = options;
  }

  /** True while requests can come: connected and subscribed. */
  get connected(): boolean {
    return this.#subscribed;
  }

  /** Connects until `signal` aborts, again and again; a broker that is not there holds up nothing. */
  start(signal: AbortSignal): void {
    signal.throwIfAborted();
    signal.addEventListener("abort", () => void this[Symbol.asyncDispose](), { once: true });
    const { url, requestTopic, clientId, username, password, ca, log } = this.#options;
    const client = connect(url, {
      protocolVersion: 5,
      clean: clientId === undefined,
      // We connect again ourselves, with a growing wait.
      reconnectPeriod: 0,
      connectTimeout: CONNECT_TIMEOUT_MS,
      keepalive: 30,
      resubscribe: false,
      ...(clientId !== undefined && { clientId, properties: { sessionExpiryInterval: 86_400 } }),
      ...(username !== undefined && { username }),
      ...(password !== undefined && { password }),
      ...(ca !== undefined && { ca }),
    });
    this.#client = client;
    // Called for each message before the broker is told that it arrived; the next one waits for the callback.
    client.handleMessage = (packet, done) => {
      this.#take(packet).then(
        () => done(),
        (error) => {
          log.error("answering over MQTT failed", { err: error });
          done();
        },
      );
    };
    client.on("connect", () => {
      client.subscribe(requestTopic, { qos: 1 }, (error) => {
        if (error === null) {
          this.#subscribed = client.connected;
          this.#failures = 0;
          log.info("MQTT connected", { requestTopic });
          return;
        }
        log.error("MQTT subscription failed", { requestTopic, reason: error.message });
        client.stream.destroy();
      });
    });
    client.on("error", (error) => log.warn("MQTT failed", { reason: error.message }));
    client.on("close", () => void this.#reconnect(client));
  }

  /** Hands a payload to the broker; resolves when the broker has it. @throws Error while there is no broker */
  async publish(to: MqttAddress, payload: string, expiresInMs: number): Promise<void> {
    const client = this.#client;
    if (client === undefined || !client.connected) throw new Error("the broker is not connected");
    await client.publishAsync(to.topic, payload, {
      qos: 1,
      retain: false,
      properties: {
        messageExpiryInterval: Math.max(1, Math.ceil(expiresInMs / 1000)),
        contentType: "application/json",
        ...(to.correlation !== undefined && { correlationData: Buffer.from(to.correlation, "base64") }),
      },
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort(new Error("the MQTT door was closed"));
    await this.#client?.endAsync(true);
  }

  async #take(packet: IPublishPacket): Promise<void> {
    const { receive, requireSignature, log } = this.#options;
    let message: InboundMessage | undefined;
    let replyTo: MqttAddress | undefined;
    let answer: Answer;
    try {
      replyTo = this.#replyTo(packet);
      if (packet.retain) throw new Refusal(400, "RETAINED", "", "messages must not be retained");
      const payload = typeof packet.payload === "string" ? Buffer.from(packet.payload) : packet.payload;
      message = openEnvelope(payload, requireSignature);
      answer = await receive(message, replyTo);
    } catch (error) {
      if (error instanceof Declined) answer = nackIn(undefined, error);
      else if (error instanceof Refusal) answer = nackOf(error);
      else throw error;
      log.warn("MQTT request refused", { code: error.code, reason: error.message });
    }
    if (replyTo === undefined) return;
    // Not awaited: the broker acknowledges it only after it has our acknowledgement of the message.
    this.publish(replyTo, answerText(answer, message), ANSWER_EXPIRY_MS).catch((error: unknown) => {
      log.debug("answer over MQTT not delivered", { reason: error instanceof Error ? error.message : String(error) });
    });
  }

  /** @throws Declined if answers can't or must not go there */
  #replyTo({ properties }: IPublishPacket): MqttAddress | undefined {
    const { requestTopic, responsePrefix } = this.#options;
    const topic = properties?.responseTopic;
    if (topic === undefined) return undefined;
    const isSound = topic.length > 0 && topic.length <= MAX_TOPIC_LENGTH && !/[+#]/.test(topic);
    // An answer to our own request topic would be read as the next request.
    if (!isSound || topic === requestTopic || !topic.startsWith(responsePrefix)) {
      throw new Declined(
        "REPLY_ADDRESS_INVALID",
        "",
        "the response topic of this request is none that answers may go to",
      );
    }
    const correlation = properties?.correlationData;
    if (correlation !== undefined && correlation.length > MAX_CORRELATION_BYTES) {
      const fault = `correlation data may have at most ${MAX_CORRELATION_BYTES} bytes`;
      throw new Declined("REPLY_ADDRESS_INVALID", "", fault);
    }
    return { kind: "mqtt", topic, ...(correlation && { correlation: Buffer.from(correlation).toString("base64") }) };
  }

  async #reconnect(client: MqttClient): Promise<void> {
    const { clock, random, log } = this.#options;
    const { signal } = this.#stop;
    this.#subscribed = false;
    if (signal.aborted) return;
    const waitMs = backoffMs(this.#failures, BACKOFF_BASE_MS, BACKOFF_CAP_MS, random);
    this.#failures += 1;
    log.warn("MQTT not connected", { retryInMs: waitMs });
    try {
      await clock.sleep(waitMs, signal);
    } catch {
      return;
    }
    client.reconnect();
  }
}
