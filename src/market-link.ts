import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import type { Clock } from "./clock.ts";
import { isLoopback } from "./config/loopback.ts";
import type { Config, MarketConfig } from "./config/schema.ts";
import type { Log } from "./log.ts";
import type { Parties } from "./market/beckn-context.ts";
import type { Release } from "./market/callback-effects.ts";
import { ContractBook } from "./market/contract-book.ts";
import type { DialectPolicy, DialectSigns } from "./market/dialects/order-codec.ts";
import { outgoingDialect } from "./market/dialects/outgoing.ts";
import type { SeedDialect } from "./market/dialects/seed-shape.ts";
import { Inbox, type RequestTaker } from "./market/inbox.ts";
import type { MarketCounters } from "./market/market-counters.ts";
import type { MqttInbox, MqttInboxOptions } from "./market/mqtt-inbox.ts";
import { OrderDesk } from "./market/order-desk.ts";
import { Outbox } from "./market/outbox.ts";
import { Participant } from "./market/participant.ts";
import type { ReductionToSetpoint, ResourceDirectory } from "./market/placement.ts";
import { SentSignatures } from "./market/sent-signatures.ts";
import type { SessionOrder } from "./market/session-order.ts";
import type { Signer } from "./market/signature.ts";
import { PinnedKeys, privateKeyFromBase64 } from "./market/signing-keys.ts";
import { Webhook } from "./market/webhook.ts";
import type { Price, Setpoint } from "./model/setpoint.ts";
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
  /** Absent: the market's wishes about charging sessions are nobody's. */
  readonly onSession?: (order: SessionOrder) => void;
  /** Turns reductions into powers by a baseline; absent: they are refused. */
  readonly reductionToSetpoint?: ReductionToSetpoint;
  /** Takes the requests of others, where this site is a provider too. */
  readonly requests?: RequestTaker;
}

/** The market side of a gateway, put together: doors in, inbox, contract flow, outbox. */
export class MarketLink implements AsyncDisposable {
  readonly participant: Participant;
  readonly orders: OrderDesk;
  readonly #store: ControlStore;
  readonly #sentSignatures = new SentSignatures();
  readonly #outbox: Outbox;
  readonly #webhook: Webhook | undefined;
  readonly #mqttOptions: MqttInboxOptions | undefined;
  #mqtt: MqttInbox | undefined;
  #webhookUrl: string | undefined;

  /** @throws Error naming the key or file that can't be used */
  constructor(options: MarketLinkOptions) {
    const { market, folder, store, clock, log, counters } = options;
    const contracts = new ContractBook(store);
    const sentSignatures = this.#sentSignatures;
    this.#store = store;
    const signs = signsOf(market.sign, DEFAULT_SIGNS);
    const ownSign = market.dialect === "branch" ? signs.branch : signs.seed;
    const dialect: SeedDialect = { sign: ownSign, currency: market.currency };
    const { need } = market;
    const meters = metersByEra(options.config);
    const signer = signerOf(market, folder);
    this.#outbox = new Outbox({
      store,
      clock,
      log,
      counters,
      random: options.random,
      sentSignatures,
      ...(market.mqtt?.requestTopic !== undefined && {
        post: async (...request: Parameters<MqttInbox["post"]>) => {
          if (this.#mqtt === undefined) throw new Error("the broker is not connected");
          return await this.#mqtt.post(...request);
        },
      }),
      onRefused: (item, reason) => this.orders.refused(item, reason),
      ...(signer && { signer }),
    });
    const bapUri = () => market.subscriberUri ?? this.#webhookUrl ?? "";
    const parties: Parties = {
      bapId: market.subscriberId,
      // Without a public address it is where the webhook really listens, which is known only once it does.
      get bapUri() {
        return bapUri();
      },
      bppId: market.bppId,
      bppUri: market.bppUri,
      domain: market.domain,
      ...(market.networkId !== undefined && { networkId: market.networkId }),
    };
    const flexNeed = need && { ...need, buyerId: need.buyerId ?? market.bppId };
    const kick = () => this.#outbox.kick();
    this.participant = new Participant({
      store,
      contracts,
      clock,
      log,
      dialect,
      outgoing: outgoingDialect(market.dialect, dialect, flexNeed),
      metersOf: (era) => meters.get(era) ?? [],
      intervalMs: market.interval,
      intervals: need?.intervals ?? 1,
      parties,
      kick,
      offerTimeoutMs: market.offerTimeout,
      telemetryRole: market.telemetryRole,
    });
    this.orders = new OrderDesk({
      store,
      clock,
      parties,
      dialect: market.dialect,
      need: flexNeed,
      transactionOf: (era) => this.participant.transactionOf(era),
      kick,
    });
    const inbox = new Inbox({
      store,
      contracts,
      clock,
      log,
      counters,
      sentSignatures,
      policy: policies(market, signs, new Set([...meters.values()].flat())),
      answerSigner: signer,
      requests: options.requests,
      reductionToSetpoint: options.reductionToSetpoint,
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
        if (!release.isPartial) this.participant.released(release);
      },
      onCallback: (context, body) => this.orders.answered(context, body),
      onInit: (transactionId, answer) => this.participant.initialised(transactionId, answer),
      ...(options.onSession !== undefined && { onSession: options.onSession }),
      statusFor: (request) => this.participant.statusFor(request),
      onOffers: (transactionId, offers) => this.participant.offered(transactionId, offers),
    });
    const receive = inbox.receive.bind(inbox);
    if (market.webhook !== undefined) {
      const requireSignature = market.requireSignature ?? !isLoopback(market.webhook.host);
      this.#webhook = new Webhook({ ...market.webhook, requireSignature, receive, clock, log });
    }
    if (market.mqtt !== undefined) {
      const { url, topicIn, topicOut, requestTopic, username, passwordFile, caFile, protocolVersion } = market.mqtt;
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
        ...(protocolVersion !== undefined && { protocolVersion }),
        ...(requestTopic !== undefined && { requestTopic }),
        ...(username !== undefined && { username }),
        ...(passwordFile !== undefined && { password: readSecret(folder, passwordFile) }),
        ...(caFile !== undefined && { ca: readFileSync(resolve(folder, caFile), "utf8") }),
      };
    }
  }

  async start(signal: AbortSignal): Promise<void> {
    await this.#sentSignatures.load(this.#store);
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

const DEFAULT_SIGNS: DialectSigns = { seed: "export-positive", branch: "export-positive", deg: "reduction" };

/** One word is about powers; a capacity keeps its own meaning. */
function signsOf(sign: MarketConfig["sign"], otherwise: DialectSigns): DialectSigns {
  if (typeof sign === "string") return { ...otherwise, seed: sign, branch: sign };
  return {
    seed: sign.seed ?? otherwise.seed,
    branch: sign.branch ?? otherwise.branch,
    deg: sign.deg ?? otherwise.deg,
  };
}

/** How to read each market's numbers, put together once. */
function policies(
  { currency, sources }: MarketConfig,
  signs: DialectSigns,
  meters: ReadonlySet<string>,
): (senderId: string) => DialectPolicy {
  const isMeter = (meterId: string) => meters.has(meterId);
  const usual: DialectPolicy = { sign: signs, currency, isMeter };
  const special = new Map(
    sources.map((source): [string, DialectPolicy] => [source.bppId, { ...usual, sign: signsOf(source.sign, signs) }]),
  );
  return (senderId) => special.get(senderId) ?? usual;
}

function metersByEra(config: Config): ReadonlyMap<string, readonly string[]> {
  return new Map(config.devices.map((device) => [device.era, device.meters ?? []]));
}

/** The market's view of our resources: devices and groups by ERA, and what the config ties to an order or a transaction. */
function directoryOf({ config, capability, market }: MarketLinkOptions): ResourceDirectory {
  const groups = new Set(config.groups.map((group) => group.era));
  const byOrder = new Map<string, string>();
  const byTransaction = new Map<string, string>();
  const byMeter = new Map<string, string>();
  const maxPrices = new Map<string, Price>();
  const { currency } = market;
  for (const device of config.devices) {
    for (const order of device.orders ?? []) byOrder.set(order, device.era);
    for (const transaction of device.transactions ?? []) byTransaction.set(transaction, device.era);
    for (const meter of device.meters ?? []) byMeter.set(meter, device.era);
    const pricePerKWh = device.objective?.maxPricePerKWh;
    if (pricePerKWh !== undefined) maxPrices.set(device.era, { pricePerKWh, currency });
  }
  return {
    // Devices may come and go while the daemon runs.
    has: (era) => groups.has(era) || config.devices.some((device) => device.era === era),
    capability,
    byOrder: (orderId) => byOrder.get(orderId),
    byTransaction: (transactionId) => byTransaction.get(transactionId),
    byMeter: (meterId) => byMeter.get(meterId),
    groupOf: (members) =>
      config.groups.find(
        (group) => group.members.length === members.size && group.members.every((one) => members.has(one)),
      )?.era,
    maxPrice: (era) => maxPrices.get(era),
  };
}
