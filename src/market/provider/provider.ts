import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import type { ClearGrid } from "../../clearing/grid-types.ts";
import { type Clock, repeatEvery } from "../../clock.ts";
import type { Log } from "../../log.ts";
import { definedOnly } from "../../model/defined-only.ts";
import type { Answer } from "../answer.ts";
import type { InboundMessage } from "../message-body.ts";
import type { Signer } from "../signature.ts";
import { PinnedKeys, privateKeyFromBase64 } from "../signing-keys.ts";
import { Webhook } from "../webhook.ts";
import { CallbackOutbox } from "./callback-outbox.ts";
import { rulesFrom } from "./market-rules-from-config.ts";
import { MqttDoor } from "./mqtt-door.ts";
import { type ProviderConfig, requiresSignature } from "./provider-config.ts";
import { ProviderInbox } from "./provider-inbox.ts";
import type { ClearedOrder, RoundRecord, TransactionRecord } from "./provider-records.ts";
import { type ProviderStore, SqliteProviderStore } from "./provider-store.ts";
import { TradingDesk } from "./trading-desk.ts";

const PRUNE_MS = 3_600_000;
/** How often the market looks what is due: ten times in the shortest of its periods, within these bounds. */
const LEAST_TICK_MS = 50;
const MOST_TICK_MS = 1000;

export interface ProviderOptions {
  readonly config: ProviderConfig;
  /** Paths in the config are relative to it. */
  readonly folder: string;
  readonly clearGrid: ClearGrid;
  readonly clock: Clock;
  readonly log: Log;
  /** 0 to below 1, for jitter. */
  readonly random: () => number;
}

/** A market clearing agent: takes bids over HTTP and MQTT, clears them at each gate, says what everybody gets. */
export class Provider implements AsyncDisposable {
  readonly #options: ProviderOptions;
  readonly #stop = new AbortController();
  readonly #closing: AsyncDisposable[] = [];
  #store: ProviderStore | undefined;
  #desk: TradingDesk | undefined;
  #door: MqttDoor | undefined;
  #ticking: Promise<void> | undefined;
  #stopping: Promise<void> | undefined;
  #url: string | undefined;

  constructor(options: ProviderOptions) {
    this.#options = options;
  }

  /**
   * Opens the store and the doors, and goes on where it stopped; until `signal` aborts or it is disposed of.
   * @throws Error if the store, a key or an address can't be opened; what was open is closed again
   */
  async start(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    try {
      await this.#open();
    } catch (error) {
      await this[Symbol.asyncDispose]();
      throw error;
    }
    signal.addEventListener("abort", () => void this[Symbol.asyncDispose](), { once: true });
  }

  async #open(): Promise<void> {
    const { config, folder, clearGrid, clock, log, random } = this.#options;
    const stop = this.#stop.signal;
    const keys = new PinnedKeys(config.trustedKeys.map((key) => [`${key.subscriberId}|${key.keyId}`, key.publicKey]));
    const signer = signerOf(config, folder);
    const store = await SqliteProviderStore.open(resolve(folder, config.data));
    this.#store = store;
    this.#closing.push(store);
    const outbox = new CallbackOutbox({
      store,
      clock,
      log,
      random,
      ...(signer !== undefined && { signer }),
      ...(config.mqtt !== undefined && { publish: (...call) => this.#publish(...call) }),
    });
    this.#closing.push(outbox);
    const requireSignature = requiresSignature(config);
    // The HTTP door's own address is known only once it listens, and nothing may come in before all else stands.
    let inbox: ProviderInbox | undefined;
    const receive = async (
      message: InboundMessage,
      topic?: Parameters<ProviderInbox["receive"]>[1],
    ): Promise<Answer> => {
      if (inbox === undefined) return { status: 503, body: '{"message":{"ack":{"status":"NACK"}}}' };
      return await inbox.receive(message, topic);
    };
    if (config.http !== undefined) {
      const door = new Webhook({
        ...config.http,
        requireSignature,
        receive: (message) => receive(message),
        clock,
        log,
      });
      this.#closing.push(door);
      this.#url = (await door.start(stop)).url;
    }
    const rules = rulesFrom(config, config.subscriberUri ?? this.#url ?? "");
    const desk = new TradingDesk({ store, rules, clearGrid, clock, log, kick: () => outbox.kick() });
    this.#desk = desk;
    await desk.ready();
    inbox = new ProviderInbox({
      subscriberId: config.subscriberId,
      store,
      desk,
      clock,
      log,
      keys,
      pinnedUris: new Map(config.trustedKeys.flatMap(({ subscriberId, uri }) => (uri ? [[subscriberId, uri]] : []))),
      answerSigner: signer,
      ...(config.callbackUri !== undefined && { callbackUri: config.callbackUri }),
    });
    outbox.start(stop);
    if (config.mqtt !== undefined) {
      const { passwordFile, caFile, ...mqtt } = config.mqtt;
      this.#door = new MqttDoor({
        ...definedOnly(mqtt),
        ...(passwordFile !== undefined && { password: readFileSync(resolve(folder, passwordFile), "utf8").trim() }),
        ...(caFile !== undefined && { ca: readFileSync(resolve(folder, caFile), "utf8") }),
        requireSignature,
        receive,
        clock,
        log,
        random,
      });
      this.#closing.push(this.#door);
      this.#door.start(stop);
    }
    const { intervalMs, confirmWithinMs } = rules;
    const tickMs = Math.min(MOST_TICK_MS, Math.max(LEAST_TICK_MS, Math.min(intervalMs, confirmWithinMs) / 10));
    this.#ticking = Promise.all([
      repeatEvery(clock, tickMs, stop, () => desk.tick()),
      repeatEvery(clock, PRUNE_MS, stop, () =>
        store.prune(clock.now()).catch((error) => log.error("pruning failed", { err: error })),
      ),
    ]).then(() => {});
    log.info("provider started", {
      subscriberId: config.subscriberId,
      url: this.#url,
      mqtt: config.mqtt?.requestTopic,
    });
  }

  /** Where requests are POSTed; absent without an HTTP door. */
  get url(): string | undefined {
    return this.#url;
  }

  get mqttConnected(): boolean {
    return this.#door?.connected ?? false;
  }

  /** A transaction as it stands. */
  transaction(bapId: string, transactionId: string): TransactionRecord | undefined {
    return this.#desk?.find(bapId, transactionId);
  }

  /** What the gates did, newest first. */
  rounds(limit: number): Promise<readonly RoundRecord[]> {
    return this.#store?.rounds(limit) ?? Promise.resolve([]);
  }

  /** What a round led to, for settlement. */
  ordersOf(roundId: string): Promise<readonly ClearedOrder[]> {
    return this.#store?.ordersOf(roundId) ?? Promise.resolve([]);
  }

  /** Takes nothing new, lets what is being answered end, closes all. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopping ??= this.#close();
    await this.#stopping;
  }

  async #close(): Promise<void> {
    this.#stop.abort(new Error("the provider was stopped"));
    await this.#ticking;
    for (const part of this.#closing.splice(0).reverse()) await part[Symbol.asyncDispose]();
    this.#options.log.info("provider stopped");
  }

  async #publish(...call: Parameters<MqttDoor["publish"]>): Promise<void> {
    if (this.#door === undefined) throw new Error("the broker is not connected");
    await this.#door.publish(...call);
  }
}

function signerOf({ signingKey, subscriberId }: ProviderConfig, folder: string): Signer | undefined {
  if (signingKey === undefined) return undefined;
  const text = readFileSync(resolve(folder, signingKey.privateKeyFile), "utf8").trim();
  return { subscriberId, keyId: signingKey.keyId, privateKey: privateKeyFromBase64(text) };
}
