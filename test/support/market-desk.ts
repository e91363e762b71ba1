import { generateKeyPairSync, type KeyObject } from "node:crypto";
import type { Clock } from "../../src/clock.ts";
import { silentLog } from "../../src/log.ts";
import type { Release } from "../../src/market/callback-effects.ts";
import { ContractBook } from "../../src/market/contract-book.ts";
import type { DialectPolicy, MarketOffer } from "../../src/market/dialects/order-codec.ts";
import { Inbox, type InboxOptions } from "../../src/market/inbox.ts";
import type { InboundMessage } from "../../src/market/message-body.ts";
import type { SetpointFlag } from "../../src/market/placement.ts";
import { signBody } from "../../src/market/signature.ts";
import { PinnedKeys, publicKeyText } from "../../src/market/signing-keys.ts";
import type { Setpoint } from "../../src/model/setpoint.ts";
import { MemoryControlStore } from "./memory-control-store.ts";

export const NOW_MS = Date.parse("2026-06-15T12:00:00Z");
export const US = "bap.site.example";
export const MARKET = "bpp.market.example";

/** Our meters, and whose they are. */
export const METERS: ReadonlyMap<string, string> = new Map([
  ["meter-ev", "EV-1"],
  ["meter-pv", "PV-1"],
]);

export const POLICY: DialectPolicy = {
  sign: { seed: "export-positive", branch: "export-positive", deg: "reduction" },
  currency: "INR",
  isMeter: (meterId) => METERS.has(meterId),
};

/** A wall clock that the test moves; waits are real and short. */
export class WallClock implements Clock {
  nowMs = NOW_MS;

  now(): number {
    return this.nowMs;
  }

  elapsedMs(): number {
    return this.nowMs - NOW_MS;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const onAbort = () => {
        clearTimeout(timer);
        reject(signal?.reason);
      };
      const timer = setTimeout(() => {
        signal?.removeEventListener("abort", onAbort);
        resolve();
      }, ms);
      if (signal?.aborted) onAbort();
      else signal?.addEventListener("abort", onAbort, { once: true });
    });
  }
}

/** The market's key, made for the test. */
export class MarketKey {
  readonly privateKey: KeyObject = generateKeyPairSync("ed25519").privateKey;
  readonly publicKey = publicKeyText(this.privateKey);

  sign(body: string | Uint8Array, at: { nowMs?: number; lifetimeMs?: number; subscriberId?: string } = {}): string {
    const signer = { subscriberId: at.subscriberId ?? MARKET, keyId: "key-1", privateKey: this.privateKey };
    const times = { nowMs: at.nowMs ?? NOW_MS, lifetimeMs: at.lifetimeMs ?? 300_000 };
    return signBody(signer, Buffer.from(body), times).authorization;
  }
}

export interface Draft {
  context?: Record<string, unknown>;
  order?: Record<string, unknown>;
  attributes?: Record<string, unknown>;
}

/** An `on_confirm` of 4 kW charging for EV-1, as the seed has it; parts are replaced as the test needs. */
export function onConfirm({ context, order, attributes }: Draft = {}): Record<string, unknown> {
  return {
    context: { ...plainContext("on_confirm"), ...context },
    message: {
      order: {
        "@type": "beckn:Order",
        "beckn:id": "order-1",
        "beckn:orderAttributes": { "@type": "EnergyOrder", setpointKW: -4, clearingPrice: 0.09, ...attributes },
        ...order,
      },
    },
  };
}

export function plainContext(action: string): Record<string, unknown> {
  return {
    version: "2.0.0",
    action,
    domain: "beckn.one:deg:ev-charging:*",
    timestamp: new Date(NOW_MS).toISOString(),
    message_id: "message-1",
    transaction_id: "transaction-1",
    bap_id: US,
    bap_uri: "https://bap.site.example",
    bpp_id: MARKET,
    bpp_uri: "https://bpp.market.example",
    ttl: "PT30S",
  };
}

/** An inbox with a charger EV-1 (0 to 11 kW charging) and an inverter PV-1 (0 to 5 kW generation) behind it. */
export class Desk {
  readonly clock = new WallClock();
  readonly key: MarketKey;
  readonly store: MemoryControlStore;
  readonly contracts: ContractBook;
  readonly setpoints: Setpoint[] = [];
  readonly flags: SetpointFlag[] = [];
  readonly releases: Release[] = [];
  readonly offers: { transactionId: string; offers: readonly MarketOffer[] }[] = [];
  readonly counted: string[] = [];
  readonly inbox: Inbox;

  /** @param before what was there before a restart: what is on the disk stays, what was in memory is gone */
  constructor(options: Partial<InboxOptions> = {}, before?: Desk) {
    this.key = before?.key ?? new MarketKey();
    this.store = before?.store ?? new MemoryControlStore();
    this.contracts = new ContractBook(this.store);
    const capabilities = new Map([
      ["EV-1", { minPowerKW: -11, maxPowerKW: 0 }],
      ["PV-1", { minPowerKW: 0, maxPowerKW: 5 }],
    ]);
    this.inbox = new Inbox({
      store: this.store,
      contracts: this.contracts,
      clock: this.clock,
      log: silentLog,
      counters: { received: (action, outcome) => this.counted.push(`${action} ${outcome}`), sent: () => {} },
      keys: new PinnedKeys([[`${MARKET}|key-1`, this.key.publicKey]]),
      policy: () => POLICY,
      bapIds: [US],
      directory: {
        has: (era) => capabilities.has(era),
        capability: (era) => capabilities.get(era),
        byOrder: (orderId) => (orderId === "order-1" ? "EV-1" : undefined),
        byTransaction: () => undefined,
        byMeter: (meterId) => METERS.get(meterId),
      },
      mapping: ["transaction", "order", "era", "meter"],
      onSetpoints: (setpoints, flags) => {
        this.setpoints.push(...setpoints);
        this.flags.push(...flags);
      },
      onRelease: (release) => this.releases.push(release),
      onOffers: (transactionId, offers) => this.offers.push({ transactionId, offers }),
      ...options,
    });
  }

  /** Gives a message to the inbox, signed by the market at the present time of the clock. */
  async receive(message: unknown, over: Partial<InboundMessage> = {}): Promise<Answered> {
    const body = typeof message === "string" ? message : JSON.stringify(message);
    const answer = await this.inbox.receive({
      body: Buffer.from(body),
      authorization: this.key.sign(body, { nowMs: this.clock.now() }),
      requireSignature: true,
      ...over,
    });
    return { status: answer.status, ...JSON.parse(answer.body).message };
  }
}

export interface Answered {
  readonly status: number;
  readonly ack: { readonly status: "ACK" | "NACK" };
  readonly error?: { readonly code: string; readonly paths: string; readonly message: string };
}
