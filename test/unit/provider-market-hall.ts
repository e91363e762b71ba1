import { generateKeyPairSync } from "node:crypto";
import { stringify } from "yaml";
import { clearGrid } from "../../src/clearing/grid/clear-grid.ts";
import type { ClearGrid } from "../../src/clearing/grid-types.ts";
import { silentLog } from "../../src/log.ts";
import type { InboundMessage } from "../../src/market/message-body.ts";
import { parseProviderConfig } from "../../src/market/provider/load-provider-config.ts";
import { rulesFrom } from "../../src/market/provider/market-rules-from-config.ts";
import { ProviderInbox } from "../../src/market/provider/provider-inbox.ts";
import type {
  AnsweredRequest,
  ClearedOrder,
  NewCallback,
  ProviderChange,
  ReplyAddress,
  RoundRecord,
  TransactionRecord,
  WaitingCallback,
} from "../../src/market/provider/provider-records.ts";
import type { ProviderStore } from "../../src/market/provider/provider-store.ts";
import { TradingDesk } from "../../src/market/provider/trading-desk.ts";
import { isOver } from "../../src/market/provider/transaction.ts";
import { signBody } from "../../src/market/signature.ts";
import { PinnedKeys, publicKeyText } from "../../src/market/signing-keys.ts";
import { HandClock } from "../support/hand-clock.ts";

export const MARKET = "market.test.example";
export const SITE = "site.test.example";
/** 12:00, and a gate closes each quarter of an hour, one minute before. */
export const NOON_MS = Date.parse("2026-06-15T12:00:00Z");

/** A store that forgets when the test ends, and otherwise keeps the same promises; each resolves a little later. */
export class MemoryProviderStore implements ProviderStore {
  epoch = 0;
  /** Set, the next commits fail with it, as on a full disk. */
  failure: Error | undefined;
  readonly requests = new Map<string, AnsweredRequest>();
  readonly records = new Map<string, TransactionRecord>();
  readonly roundList: RoundRecord[] = [];
  readonly orders = new Map<string, ClearedOrder>();
  readonly callbacks: NewCallback[] = [];

  async commit(change: ProviderChange, epoch: number): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    if (epoch !== this.epoch) throw new Error("an earlier commit failed");
    if (this.failure !== undefined) {
      this.epoch += 1;
      throw this.failure;
    }
    const { request, transactions = [], round, orders = [], callbacks = [] } = change;
    if (request !== undefined) {
      const key = `${request.senderId}|${request.messageId}`;
      if (this.requests.has(key)) throw new Error("this request was stored before");
      this.requests.set(key, request);
    }
    for (const one of transactions) this.records.set(`${one.bapId}|${one.transactionId}`, structuredClone(one));
    if (round !== undefined) this.roundList.unshift(round);
    for (const one of orders) this.orders.set(`${one.roundId}|${one.bapId}|${one.transactionId}`, one);
    this.callbacks.push(...callbacks);
  }

  async findRequest(senderId: string, messageId: string): Promise<AnsweredRequest | undefined> {
    return this.requests.get(`${senderId}|${messageId}`);
  }

  async transactions(sinceMs: number): Promise<readonly TransactionRecord[]> {
    const all = [...this.records.values()].map((one) => structuredClone(one));
    return all.filter((one) => !isOver(one.state) || one.updatedAtMs >= sinceMs);
  }

  async hasRound(roundId: string): Promise<boolean> {
    return this.roundList.some((one) => one.roundId === roundId);
  }

  async rounds(limit: number): Promise<readonly RoundRecord[]> {
    return this.roundList.slice(0, limit);
  }

  async ordersOf(roundId: string): Promise<readonly ClearedOrder[]> {
    return [...this.orders.values()].filter((one) => one.roundId === roundId);
  }

  async dueCallbacks(): Promise<readonly WaitingCallback[]> {
    return [];
  }

  async removeCallback(): Promise<void> {}
  async retryCallback(): Promise<void> {}
  async callbacksWaiting(): Promise<number> {
    return this.callbacks.length;
  }
  async prune(): Promise<void> {}
  async [Symbol.asyncDispose](): Promise<void> {}
}

type Fields = Readonly<Record<string, unknown>>;

export interface Answered {
  readonly status: number;
  readonly body: {
    readonly message: {
      readonly ack?: { readonly status: string };
      readonly status?: string;
      readonly messageId?: string;
      readonly error?: { readonly code: string; readonly paths: string; readonly message: string };
    };
  };
}

/** A market whose clock is moved by hand, with what it would send. */
export class MarketHall {
  readonly clock: HandClock;
  readonly store: MemoryProviderStore;
  readonly #key: ReturnType<typeof generateKeyPairSync>["privateKey"];
  desk: TradingDesk;
  inbox: ProviderInbox;
  #seen = 0;
  #message = 0;

  /** @param before what was there before a restart: what is on the disk stays, what was in memory is gone */
  constructor(config: Fields = {}, before?: MarketHall, clear: ClearGrid = clearGrid) {
    this.clock = before?.clock ?? new HandClock(NOON_MS);
    this.store = before?.store ?? new MemoryProviderStore();
    this.#key = before === undefined ? generateKeyPairSync("ed25519").privateKey : before.#key;
    this.#message = before === undefined ? 0 : 1000;
    this.#seen = before === undefined ? 0 : before.#seen;
    const text = stringify({ subscriberId: MARKET, http: { port: 0 }, ...config });
    const rules = rulesFrom(parseProviderConfig(text, "provider.yaml"), "http://market.test/beckn");
    const { clock, store } = this;
    this.desk = new TradingDesk({ store, rules, clearGrid: clear, clock, log: silentLog, kick: () => {} });
    this.inbox = new ProviderInbox({
      subscriberId: MARKET,
      store,
      desk: this.desk,
      clock,
      log: silentLog,
      keys: new PinnedKeys([[`${SITE}|k1`, publicKeyText(this.#key)]]),
      pinnedUris: new Map(),
    });
  }

  /** A request of the site in the seed's dialect, or with `camel` in that of 2026. */
  request(action: string, message: object, context: Fields = {}, camel = false): object {
    this.#message += 1;
    const id = `message-${this.#message}`;
    const timestamp = new Date(this.clock.now()).toISOString();
    const [bapUri, bppUri] = ["http://site.test/beckn", "http://market.test/beckn"];
    const names = camel
      ? { messageId: id, transactionId: "t1", bapId: SITE, bapUri, bppId: MARKET, bppUri, networkId: "test/deg" }
      : { message_id: id, transaction_id: "t1", bap_id: SITE, bap_uri: bapUri, bpp_id: MARKET, bpp_uri: bppUri };
    const domain = camel ? {} : { domain: "beckn.one:deg:*", ttl: "PT30S" };
    return { context: { version: "2.0.0", action, timestamp, ...domain, ...names, ...context }, message };
  }

  async receive(request: object, over: Partial<InboundMessage> = {}, topic?: ReplyAddress): Promise<Answered> {
    const body = Buffer.from(JSON.stringify(request));
    const mqtt = topic?.kind === "mqtt" ? topic : undefined;
    const answer = await this.inbox.receive({ body, requireSignature: false, ...over }, mqtt);
    return { status: answer.status, body: JSON.parse(answer.body) };
  }

  /** Makes a request and expects it to be taken. */
  async ask(action: string, message: object, context: Fields = {}, camel = false): Promise<void> {
    const { status, body } = await this.receive(this.request(action, message, context, camel));
    if (status !== 200) throw new Error(`${action}: ${JSON.stringify(body)}`);
  }

  /** Makes a request and gives the code and text of its refusal. */
  async refused(action: string, message: object, context: Fields = {}, camel = false): Promise<string> {
    const { status, body } = await this.receive(this.request(action, message, context, camel));
    if (status === 200) throw new Error(`${action} was taken`);
    return `${body.message.error?.code}: ${body.message.error?.message}`;
  }

  sign(request: object, subscriberId = SITE): string {
    const signer = { subscriberId, keyId: "k1", privateKey: this.#key };
    const body = Buffer.from(JSON.stringify(request));
    return signBody(signer, body, { nowMs: this.clock.now(), lifetimeMs: 60_000 }).authorization;
  }

  /** The clock goes on, and the market does what is due. */
  async wait(ms: number): Promise<void> {
    this.clock.advance(ms);
    await this.desk.tick();
  }

  /** Until the next gate has closed: to the 14th minute of each quarter. */
  async untilGate(): Promise<void> {
    const now = this.clock.now();
    const next = Math.ceil((now + 60_001) / 900_000) * 900_000 - 60_000;
    await this.wait(next - now);
  }

  /** What was queued for the site since the last call. */
  sent(): { action: string; context: Fields; message: Record<string, never> & Fields; raw: NewCallback }[] {
    const fresh = this.store.callbacks.slice(this.#seen);
    this.#seen = this.store.callbacks.length;
    return fresh.map((raw) => ({ action: raw.action, raw, ...JSON.parse(raw.body) }));
  }

  state(transactionId = "t1"): string | undefined {
    return this.desk.find(SITE, transactionId)?.state;
  }
}

/** A car's wish: 11 kW at 0.08 down to nothing at 0.12. */
export const CAR = {
  intent: {
    era: "ev-1",
    currency: "INR",
    bidCurve: [
      { price: 0.08, powerKW: -11 },
      { price: 0.1, powerKW: -5 },
      { price: 0.12, powerKW: 0 },
    ],
  },
};

/** A market in which the grid sells at 0.09 what anybody wants. */
export const GRID_AT_009 = {
  market: {
    external: {
      shape: "STEP",
      points: [
        { price: 0.09, powerKW: 0 },
        { price: 0.09, powerKW: 1000 },
      ],
    },
  },
};

/** Reads a value out of a message by its path. */
export function at(message: unknown, ...path: readonly (string | number)[]): unknown {
  return path.reduce<unknown>((value, key) => (value as Record<string | number, unknown> | undefined)?.[key], message);
}
