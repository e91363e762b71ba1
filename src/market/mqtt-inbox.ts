import { connect, type IClientOptions, type IPublishPacket, type MqttClient } from "mqtt";
import { backoffMs, type Clock } from "../clock.ts";
import type { Log } from "../log.ts";
import { type Answer, nackOf, Refusal } from "./answer.ts";
import type { MarketCounters } from "./market-counters.ts";
import type { InboundMessage } from "./message-body.ts";
import { answerText, openEnvelope } from "./mqtt-envelope.ts";
import { MqttRequests } from "./mqtt-requests.ts";
import type { PostedAnswer } from "./post-message.ts";

const BACKOFF_BASE_MS = 1000;
const BACKOFF_CAP_MS = 60_000;
const CONNECT_TIMEOUT_MS = 10_000;
/** An answer says whether a message was taken; after this nobody waits for it. */
const ANSWER_EXPIRY_S = 60;

export interface MqttInboxOptions {
  /** `mqtt://` or `mqtts://`. */
  readonly url: string;
  /** Messages come here. */
  readonly topicIn: string;
  /** Answers go here. */
  readonly topicOut: string;
  /** Given: the broker keeps messages for us while we are away. Absent: a new session each time. */
  readonly clientId?: string;
  readonly username?: string;
  readonly password?: string;
  /** PEM, for a broker whose certificate no public authority signed. */
  readonly ca?: string;
  /** Given: our own requests go here, with `topicIn` as their response topic; needs version 5. */
  readonly requestTopic?: string;
  /** 3.1.1 is 4, 5 is 5; 4 unless told, which brokers of version 5 take as well. */
  readonly protocolVersion?: 4 | 5;
  /** May be false only with a broker that nobody else can reach. */
  readonly requireSignature: boolean;
  readonly receive: (message: InboundMessage) => Promise<Answer>;
  readonly clock: Clock;
  readonly log: Log;
  readonly counters: MarketCounters;
  readonly random: () => number;
  /** First wait after a lost connection; 1 s unless told. */
  readonly backoffBaseMs?: number;
}

/**
 * The door for the market's messages over MQTT, for a site that nothing can dial. One message is in work at a time, and the
 * broker gets its acknowledgement (QoS 1) when the message is committed, so that no more than that can be lost or pile up.
 * `mqtt-envelope.ts` says how a signed message looks.
 */
export class MqttInbox implements AsyncDisposable {
  readonly #options: MqttInboxOptions;
  readonly #stop = new AbortController();
  #client: MqttClient | undefined;
  #subscribed = false;
  #failures = 0;
  readonly #requests: MqttRequests | undefined;

  constructor(options: MqttInboxOptions) {
    this.#options = options;
    const { requestTopic, topicIn } = options;
    if (requestTopic === undefined) return;
    this.#requests = new MqttRequests({
      requestTopic,
      responseTopic: topicIn,
      publish: async (...message) => {
        if (this.#client === undefined || !this.#subscribed) throw new Error("the broker is not connected");
        await this.#client.publishAsync(...message);
      },
    });
  }

  /** Sends a request to the market and waits for its answer. @throws Error while there is no broker */
  async post(...request: Parameters<MqttRequests["post"]>): Promise<PostedAnswer> {
    if (this.#requests === undefined) throw new Error("there is no topic for requests");
    return await this.#requests.post(...request);
  }

  /** True while messages can come: connected and subscribed. */
  get connected(): boolean {
    return this.#subscribed;
  }

  /** Connects until `signal` aborts, again and again; a broker that is not there holds up nothing. */
  start(signal: AbortSignal): void {
    signal.throwIfAborted();
    signal.addEventListener("abort", () => void this[Symbol.asyncDispose](), { once: true });
    const { url, topicIn, log } = this.#options;
    const client = connect(url, connectOptions(this.#options));
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
      client.subscribe(topicIn, { qos: 1 }, (error) => {
        if (error === null) {
          this.#subscribed = client.connected;
          this.#failures = 0;
          log.info("MQTT connected", { url: withoutSecrets(url), topicIn });
          return;
        }
        log.error("MQTT subscription failed", { topicIn, reason: error.message });
        client.stream.destroy();
      });
    });
    client.on("error", (error) => log.warn("MQTT failed", { reason: error.message }));
    client.on("close", () => void this.#reconnect(client));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort(new Error("the MQTT inbox was closed"));
    await this.#client?.endAsync(true);
  }

  async #take(packet: IPublishPacket): Promise<void> {
    const { receive, requireSignature, topicOut, counters, log } = this.#options;
    // What is retained is no answer of now.
    if (!packet.retain && this.#requests?.take(packet)) return;
    let message: InboundMessage | undefined;
    let answer: Answer;
    try {
      // A retained message comes again at every connection: an old command would be given again and again.
      if (packet.retain) throw new Refusal(400, "RETAINED", "", "messages must not be retained");
      const payload = typeof packet.payload === "string" ? Buffer.from(packet.payload) : packet.payload;
      message = openEnvelope(payload, requireSignature);
      answer = await receive(message);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      counters.received("other", error.code);
      log.warn("MQTT message refused", { code: error.code, reason: error.message });
      answer = nackOf(error);
    }
    // Not awaited: the broker acknowledges it only after it has our acknowledgement of the message.
    // The correlation data goes back as it came; the topic to answer to is ours to say and never the sender's.
    const correlationData = packet.properties?.correlationData;
    const properties = {
      messageExpiryInterval: ANSWER_EXPIRY_S,
      ...(correlationData !== undefined && { correlationData }),
    };
    const isFive = this.#options.protocolVersion === 5;
    const options = { qos: 1, retain: false, ...(isFive && { properties }) } as const;
    this.#client?.publish(topicOut, answerText(answer, message), options, (error) => {
      if (error) log.debug("answer over MQTT not delivered", { reason: error.message });
    });
  }

  async #reconnect(client: MqttClient): Promise<void> {
    const { clock, random, log, backoffBaseMs } = this.#options;
    const { signal } = this.#stop;
    this.#subscribed = false;
    if (signal.aborted) return;
    const waitMs = backoffMs(this.#failures, backoffBaseMs ?? BACKOFF_BASE_MS, BACKOFF_CAP_MS, random);
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

function connectOptions(options: MqttInboxOptions): IClientOptions {
  const { clientId, username, password, ca, protocolVersion } = options;
  return {
    protocolVersion: protocolVersion ?? 4,
    clean: clientId === undefined,
    // We connect again ourselves, with a growing wait.
    reconnectPeriod: 0,
    connectTimeout: CONNECT_TIMEOUT_MS,
    keepalive: 30,
    resubscribe: false,
    ...(clientId !== undefined && { clientId }),
    // MQTT 5 ends a session with its connection unless it is told how long to keep it.
    ...(clientId !== undefined && protocolVersion === 5 && { properties: { sessionExpiryInterval: 86_400 } }),
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
    ...(ca !== undefined && { ca }),
  };
}

function withoutSecrets(url: string): string {
  return url.replace(/\/\/[^@/]*@/, "//");
}
