import { randomUUID } from "node:crypto";
import { connect, type IPublishPacket, type MqttClient } from "mqtt";
import { backoffMs, type Clock, DeadlineError, withDeadline } from "../clock.ts";
import type { Log } from "../log.ts";
import { type Answer, nack, nackOf, Refusal } from "../market/answer.ts";
import { messageContext } from "../market/beckn-context.ts";
import { type InboundMessage, MAX_MESSAGE_BYTES } from "../market/message-body.ts";
import { parseStrictJson } from "../market/strict-json.ts";
import { Webhook } from "../market/webhook.ts";
import type { RelayConfig } from "./relay-config.ts";
import { WaitingAnswers } from "./waiting-answers.ts";

const BACKOFF_BASE_MS = 1000;
const BACKOFF_CAP_MS = 60_000;

export interface RelayOptions {
  readonly config: RelayConfig;
  readonly password?: string;
  /** PEM. */
  readonly ca?: string;
  readonly clock: Clock;
  readonly log: Log;
  /** Uniform in [0, 1); only for jitter. */
  readonly random: () => number;
}

type Site = RelayConfig["sites"][number];

/**
 * A public door for sites that nothing can dial: what the market POSTs to `{path}/{site}/{action}` goes to the site's topic,
 * and the site's answer goes back as the answer to the POST.
 *
 * It keeps nothing and vouches for nothing. The signature goes along and is checked by the site over the very bytes that
 * came, and an ACK is the site's own, given when its disk has the message. A site that does not answer in time is a 503,
 * which tells the market to send again; a message that arrived all the same is known there by its id and acted on once.
 */
export class Relay implements AsyncDisposable {
  readonly #options: RelayOptions;
  readonly #sites: ReadonlyMap<string, Site>;
  readonly #siteOfTopic: ReadonlyMap<string, string>;
  readonly #waiting = new WaitingAnswers();
  readonly #stop = new AbortController();
  readonly #webhook: Webhook;
  #client: MqttClient | undefined;
  #subscribed = false;
  #failures = 0;

  constructor(options: RelayOptions) {
    const { config, clock, log } = options;
    this.#options = options;
    this.#sites = new Map(config.sites.map((site) => [site.name, site]));
    this.#siteOfTopic = new Map(config.sites.map((site) => [site.topicOut, site.name]));
    this.#webhook = new Webhook({
      ...config.http,
      requireSignature: true,
      receive: (message) => this.#receive(message),
      clock,
      log,
    });
  }

  /** True while sites can be reached: connected to the broker and subscribed. */
  get connected(): boolean {
    return this.#subscribed;
  }

  /** Listens and connects; resolves with the URL under which the market reaches the sites. */
  async start(): Promise<{ readonly url: string }> {
    const { url } = await this.#webhook.start(this.#stop.signal);
    this.#connect();
    return { url };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#webhook[Symbol.asyncDispose]();
    this.#stop.abort(new Error("the relay stops"));
    await this.#client?.endAsync(true);
  }

  async #receive(message: InboundMessage): Promise<Answer> {
    const [siteName = "", action, more] = (message.action ?? "").split("/");
    const site = this.#sites.get(siteName);
    if (site === undefined || action === undefined || more !== undefined) {
      return nack(404, "SITE_UNKNOWN", "", "messages come to {path}/{site}/{action}, for a site that is listed here");
    }
    try {
      return await this.#forward(site, action, message);
    } catch (error) {
      if (error instanceof Refusal) return nackOf(error);
      const reason = error instanceof DeadlineError ? "the site gave no answer in time" : "the broker did not take it";
      this.#options.log.warn("message not answered", { site: siteName, action, reason, err: error });
      return nack(503, "SITE_UNREACHABLE", "", `${reason}; send it again`);
    }
  }

  /** @throws Refusal for what no site would take; DeadlineError */
  async #forward(site: Site, action: string, message: InboundMessage): Promise<Answer> {
    const { clock, config } = this.#options;
    // A site's line may be thin, so what is no Beckn message at all ends here.
    if (message.body.length > MAX_MESSAGE_BYTES) {
      throw new Refusal(413, "BODY_TOO_LARGE", "", `a message may have at most ${MAX_MESSAGE_BYTES} bytes`);
    }
    const json = parseStrictJson(message.body);
    if (!json.ok) throw new Refusal(400, "BODY_INVALID", json.path, json.fault);
    const context = messageContext(json.value);
    if (context.action !== action) {
      const fault = `"${context.action}" came to the address of "${action}"`;
      throw new Refusal(400, "ACTION_MISMATCH", "context.action", fault);
    }
    if (message.authorization === undefined) {
      throw new Refusal(401, "SIGNATURE_MISSING", "", "no Authorization header");
    }
    const client = this.#client;
    if (client === undefined || !this.#subscribed) throw new Error("the broker is not connected");
    if (this.#waiting.full) throw new Error("too many messages wait for their sites");
    const timeoutMs = config.answerTimeout * 1000;
    const correlation = randomUUID();
    const payload = JSON.stringify({
      authorization: message.authorization,
      body: Buffer.from(message.body).toString("utf8"),
    });
    const answered = this.#waiting.expect(correlation, site.name, context.messageId);
    try {
      return await withDeadline(clock, timeoutMs, this.#stop.signal, async () => {
        await client.publishAsync(site.topicIn, payload, {
          qos: 1,
          // A retained command would come again at each connection of the site.
          retain: false,
          ...(config.broker.protocolVersion === 5 && {
            properties: {
              responseTopic: site.topicOut,
              correlationData: Buffer.from(correlation),
              // After this the market has its 503 and will send again; an old copy is of no use.
              messageExpiryInterval: Math.ceil(config.answerTimeout),
            },
          }),
        });
        return await answered;
      });
    } finally {
      this.#waiting.forget(correlation);
    }
  }

  #connect(): void {
    const { config, password, ca, log } = this.#options;
    const { url, clientId, username } = config.broker;
    const client = connect(url, {
      protocolVersion: config.broker.protocolVersion,
      clean: true,
      reconnectPeriod: 0,
      connectTimeout: 10_000,
      keepalive: 30,
      resubscribe: false,
      ...(clientId !== undefined && { clientId }),
      ...(username !== undefined && { username }),
      ...(password !== undefined && { password }),
      ...(ca !== undefined && { ca }),
    });
    this.#client = client;
    client.on("connect", () => {
      client.subscribe([...this.#siteOfTopic.keys()], { qos: 1 }, (error) => {
        if (error === null) {
          this.#subscribed = client.connected;
          this.#failures = 0;
          log.info("broker connected", { sites: this.#sites.size });
          return;
        }
        log.error("broker refused the subscription", { reason: error.message });
        client.stream.destroy();
      });
    });
    client.on("message", (topic, payload, packet) => this.#onAnswer(topic, payload, packet));
    client.on("error", (error) => log.warn("broker failed", { reason: error.message }));
    client.on("close", () => void this.#reconnect(client));
  }

  #onAnswer(topic: string, payload: Buffer, packet: IPublishPacket): void {
    const site = this.#siteOfTopic.get(topic);
    if (site === undefined || packet.retain) return;
    this.#waiting.take(site, payload, packet.properties?.correlationData?.toString("utf8"));
  }

  async #reconnect(client: MqttClient): Promise<void> {
    const { clock, random, log } = this.#options;
    this.#subscribed = false;
    if (this.#stop.signal.aborted) return;
    const waitMs = backoffMs(this.#failures, BACKOFF_BASE_MS, BACKOFF_CAP_MS, random);
    this.#failures += 1;
    log.warn("broker not connected", { retryInMs: waitMs });
    try {
      await clock.sleep(waitMs, this.#stop.signal);
    } catch {
      return;
    }
    client.reconnect();
  }
}
