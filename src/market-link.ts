import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import type { Clock } from "./clock.ts";
import { isLoopback } from "./config/loopback.ts";
import type { Config, MarketConfig } from "./config/schema.ts";
import type { Log } from "./log.ts";
import { ContractBook } from "./market/contract-book.ts";
import { Inbox, type Release } from "./market/inbox.ts";
import type { MarketCounters } from "./market/market-counters.ts";
import type { MqttInbox, MqttInboxOptions } from "./market/mqtt-inbox.ts";
import { Outbox } from "./market/outbox.ts";
import { Participant } from "./market/participant.ts";
import type { ResourceDirectory } from "./market/placement.ts";
import type { SeedDialect } from "./market/seed-shape.ts";
import { SentSignatures } from "./market/sent-signatures.ts";
import type { Signer } from "./market/signature.ts";
import { PinnedKeys, privateKeyFromBase64 } from "./market/signing-keys.ts";
import { Webhook } from "./market/webhook.ts";
import type { Setpoint } from "./model/setpoint.ts";
import type { ControlStore } from "./store/control-store.ts";

export interface MarketLinkOptions {
  readonly market: MarketConfig;
  readonly config: Config;
  /** Paths in the config are relative to this. */
  readonly folder: string;
  readonly store: ControlStore;
  readonly clock: Clock;
  readonly log: Log;
  readonly random: () => number;
  readonly counters: MarketCounters;
  /** What a resource can do; absent while it has not said so. */
  readonly capability: ResourceDirectory["capability"];
  /** Setpoints that the disk has. */
  readonly onSetpoints: (setpoints: readonly Setpoint[]) => void;
  readonly onRelease: (release: Release) => void;
}

/** The market side of a gateway, put together: doors in, inbox, contract flow, outbox. */
export class MarketLink implements AsyncDisposable {
  readonly participant: Participant;
  readonly #outbox: Outbox;
  readonly #webhook: Webhook | undefined;
  readonly #mqttOptions: MqttInboxOptions | undefined;
  #mqtt: MqttInbox | undefined;
  #webhookUrl: string | undefined;

  /** @throws Error naming the key or file that can't be used */
  constructor(options: MarketLinkOptions) {
    const { market, folder, store, clock, log, counters } = options;
    const contracts = new ContractBook(store);
    const sentSignatures = new SentSignatures();
    const dialect: SeedDialect = { sign: market.sign, currency: market.currency };
    const signer = signerOf(market, folder);
    this.#outbox = new Outbox({
      store,
      clock,
      log,
      counters,
      random: options.random,
      sentSignatures,
      ...(signer && { signer }),
    });
    const bapUri = () => market.subscriberUri ?? this.#webhookUrl ?? "";
    this.participant = new Participant({
      store,
      contracts,
      clock,
      log,
      dialect,
      parties: {
        bapId: market.subscriberId,
        // Without a public address it is where the webhook really listens, which is known only once it does.
        get bapUri() {
          return bapUri();
        },
        bppId: market.bppId,
        bppUri: market.bppUri,
        domain: market.domain,
      },
      kick: () => this.#outbox.kick(),
      offerTimeoutMs: market.offerTimeout,
      telemetryRole: market.telemetryRole,
    });
    const inbox = new Inbox({
      store,
      contracts,
      clock,
      log,
      counters,
      sentSignatures,
      dialect,
      keys: new PinnedKeys(market.trustedKeys.map((key) => [`${key.subscriberId}|${key.keyId}`, key.publicKey])),
      bapIds: [market.subscriberId],
      directory: directoryOf(options),
      mapping: market.mapBy,
      defaultHoldMs: market.defaultHold,
      onSetpoints: (setpoints, flags) => {
        // Down to the devices first: the contract's own steps can wait.
        options.onSetpoints(setpoints);
        this.participant.confirmed(setpoints);
        for (const { setpointId, flag, detail } of flags) log.warn("setpoint flagged", { setpointId, flag, detail });
      },
      onRelease: (release) => {
        options.onRelease(release);
        this.participant.released(release);
      },
      onOffers: (transactionId, offers) => this.participant.offered(transactionId, offers),
    });
    const receive = inbox.receive.bind(inbox);
    if (market.webhook !== undefined) {
      const requireSignature = market.requireSignature ?? !isLoopback(market.webhook.host);
      this.#webhook = new Webhook({ ...market.webhook, requireSignature, receive, clock, log });
    }
    if (market.mqtt !== undefined) {
      const { url, topicIn, topicOut, username, passwordFile, caFile } = market.mqtt;
      this.#mqttOptions = {
        url,
        topicIn,
        topicOut,
        // A broker carries what anyone put there, so only one on this machine may bring unsigned messages.
        requireSignature: market.requireSignature ?? !isLoopback(new URL(url).hostname),
        receive,
        clock,
        log,
        counters,
        random: options.random,
        clientId: market.subscriberId,
        ...(username !== undefined && { username }),
        ...(passwordFile !== undefined && { password: readSecret(folder, passwordFile) }),
        ...(caFile !== undefined && { ca: readFileSync(resolve(folder, caFile), "utf8") }),
      };
    }
  }

  async start(signal: AbortSignal): Promise<void> {
    await this.participant.start(signal);
    this.#webhookUrl = (await this.#webhook?.start(signal))?.url;
    this.#outbox.start(signal);
    if (this.#mqttOptions !== undefined) {
      // Most of a small gateway's memory is code: the MQTT client is loaded only where there is a broker.
      const { MqttInbox } = await import("./market/mqtt-inbox.ts");
      this.#mqtt = new MqttInbox(this.#mqttOptions);
      this.#mqtt.start(signal);
    }
  }

  addresses(): Readonly<Record<string, string>> {
    return this.#webhookUrl === undefined ? {} : { webhook: this.#webhookUrl };
  }

  /** Absent without MQTT. */
  get mqttState(): "connected" | "not connected" | undefined {
    if (this.#mqtt === undefined) return undefined;
    return this.#mqtt.connected ? "connected" : "not connected";
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.#webhook?.[Symbol.asyncDispose](), this.#mqtt?.[Symbol.asyncDispose]()]);
    await this.#outbox[Symbol.asyncDispose]();
  }
}

function signerOf(market: MarketConfig, folder: string): Signer | undefined {
  if (market.signingKey === undefined) return undefined;
  const { keyId, privateKeyFile } = market.signingKey;
  const privateKey = privateKeyFromBase64(readSecret(folder, privateKeyFile));
  return { subscriberId: market.subscriberId, keyId, privateKey };
}

function readSecret(folder: string, file: string): string {
  return readFileSync(resolve(folder, file), "utf8").trim();
}

/** The market's view of our resources: devices and groups by ERA, and what the config ties to an order or a transaction. */
function directoryOf({ config, capability }: MarketLinkOptions): ResourceDirectory {
  const known = new Set([...config.devices, ...config.groups].map((resource) => resource.era));
  const byOrder = new Map<string, string>();
  const byTransaction = new Map<string, string>();
  const maxPrices = new Map<string, number>();
  for (const device of config.devices) {
    for (const order of device.orders ?? []) byOrder.set(order, device.era);
    for (const transaction of device.transactions ?? []) byTransaction.set(transaction, device.era);
    if (device.objective?.maxPricePerKWh !== undefined) maxPrices.set(device.era, device.objective.maxPricePerKWh);
  }
  return {
    has: (era) => known.has(era),
    capability,
    byOrder: (orderId) => byOrder.get(orderId),
    byTransaction: (transactionId) => byTransaction.get(transactionId),
    maxPricePerKWh: (era) => maxPrices.get(era),
  };
}
