import { generateKeyPairSync, randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stringify } from "yaml";
import { adapters } from "../../adapters/index.ts";
import { ChargerSimulator, type ChargerSimulatorOptions } from "../../simulators/charger/charger-simulator.ts";
import { Battery } from "../../simulators/world/battery.ts";
import type { DeviceStatus } from "../../src/api/status-report.ts";
import { type Clock, systemClock } from "../../src/clock.ts";
import { parseConfig } from "../../src/config/load.ts";
import { Gateway } from "../../src/gateway.ts";
import { silentLog } from "../../src/log.ts";
import { signBody } from "../../src/market/signature.ts";
import { privateKeyFromBase64 } from "../../src/market/signing-keys.ts";

export const MARKET_ID = "market.test.example";
export const SITE_ID = "site.test.example";

export interface SiteOptions {
  readonly devices: readonly Record<string, unknown>[];
  /** Merged over the sections of the config. */
  readonly config?: Record<string, unknown>;
  readonly market?: Record<string, unknown>;
  /** The system's unless given; all that belongs to the site lives on it. Messages last longer on one that runs fast. */
  readonly clock?: Clock;
}

/** A real gateway with its own folder and a market's key, for a story to happen on. */
export class Site implements AsyncDisposable {
  readonly folder = mkdtempSync(join(tmpdir(), "setpointd-site-"));
  readonly #key = generateKeyPairSync("ed25519");
  #options: SiteOptions;
  readonly #guests: AsyncDisposable[] = [];
  #gateway: Gateway | undefined;

  constructor(options: SiteOptions) {
    this.#options = options;
  }

  /** Another config for the next start. */
  change(options: SiteOptions): void {
    this.#options = options;
  }

  get clock(): Clock {
    return this.#options.clock ?? systemClock;
  }

  get gateway(): Gateway {
    if (this.#gateway === undefined) throw new Error("the gateway is not running");
    return this.#gateway;
  }

  get publicKey(): string {
    return this.#key.publicKey.export({ format: "der", type: "spki" }).subarray(-32).toString("base64");
  }

  async start(): Promise<void> {
    const text = stringify({
      site: { name: "test site" },
      api: { port: 0 },
      data: "data",
      ocpp: { port: this.#ocppPort, meterIntervalS: 1 },
      market: {
        subscriberId: SITE_ID,
        bppId: MARKET_ID,
        bppUri: "http://127.0.0.1:9/nobody",
        participate: false,
        requireSignature: true,
        telemetryInterval: "1s",
        webhook: { port: 0 },
        trustedKeys: [{ subscriberId: MARKET_ID, keyId: "k1", publicKey: this.publicKey }],
        ...this.#options.market,
      },
      devices: this.#options.devices,
      ...this.#options.config,
    });
    const config = parseConfig(text, "site.yaml", adapters);
    this.#gateway = new Gateway({
      config,
      folder: this.folder,
      adapters,
      version: "0.0.0-test",
      clock: this.clock,
      log: silentLog,
      random: Math.random,
    });
    await this.#gateway.start();
  }

  /** Stops the gateway; its folder stays, as over a restart. Chargers find it again on the same port. */
  async stop(): Promise<void> {
    const url = this.#gateway?.addresses()["ocpp"];
    if (url !== undefined) this.#ocppPort = Number(new URL(url).port);
    await this.#gateway?.[Symbol.asyncDispose]();
    this.#gateway = undefined;
  }

  #ocppPort = 0;

  address(name: string): string {
    const address = this.gateway.addresses()[name];
    if (address === undefined) throw new Error(`no listener "${name}"`);
    return address;
  }

  device(era: string): DeviceStatus {
    const device = this.gateway.status().devices.find((one) => one.era === era);
    if (device === undefined) throw new Error(`no device "${era}"`);
    return device;
  }

  /** A charger with a car, connected and charging. */
  async charger(options: Partial<ChargerSimulatorOptions> & { identity: string }): Promise<ChargerSimulator> {
    const charger = new ChargerSimulator({
      url: this.address("ocpp"),
      version: "1.6",
      phases: 1,
      maxA: 32,
      car: new Battery(this.clock, {
        capacityKWh: 60,
        socPercent: 40,
        maxChargeKW: 7.4,
        maxDischargeKW: 0,
        deadMs: 100,
        tauMs: 200,
      }),
      clock: this.clock,
      log: silentLog,
      meterIntervalMs: 500,
      ...options,
    });
    this.#guests.push(charger);
    await charger.start();
    return charger;
  }

  /** A message of the market in the seed's dialect. */
  onConfirm(
    attributes: Record<string, unknown>,
    overrides: { messageId?: string; transactionId?: string; timestampMs?: number } = {},
  ) {
    return {
      context: {
        version: "2.0.0",
        action: "on_confirm",
        domain: "beckn.one:deg:ev-charging:*",
        timestamp: new Date(overrides.timestampMs ?? this.clock.now()).toISOString(),
        message_id: overrides.messageId ?? randomUUID(),
        transaction_id: overrides.transactionId ?? randomUUID(),
        bap_id: SITE_ID,
        bap_uri: "http://127.0.0.1/beckn",
        bpp_id: MARKET_ID,
        bpp_uri: "http://127.0.0.1:9/nobody",
        ttl: this.#options.clock === undefined ? "PT30S" : "PT10M",
      },
      message: {
        order: {
          "beckn:id": `order-${overrides.transactionId ?? "1"}`,
          "beckn:orderStatus": "CONFIRMED",
          "beckn:orderAttributes": { "@type": "EnergyOrder", clearingPrice: 0.09, ...attributes },
        },
      },
    };
  }

  /** Posts a message as the market would; signed unless told otherwise. */
  async send(
    message: unknown,
    options: { unsigned?: boolean; action?: string } = {},
  ): Promise<{ status: number; body: string }> {
    return this.sendRaw(typeof message === "string" ? message : JSON.stringify(message), options);
  }

  /** A message in the envelope in which it travels over MQTT. */
  envelope(message: unknown): { authorization: string; body: string } {
    const body = JSON.stringify(message);
    return { authorization: this.#authorization(body), body };
  }

  async sendRaw(
    body: string,
    options: { unsigned?: boolean; action?: string } = {},
  ): Promise<{ status: number; body: string }> {
    const response = await fetch(`${this.address("webhook")}/${options.action ?? "on_confirm"}`, {
      method: "POST",
      body,
      headers: {
        "content-type": "application/json",
        ...(options.unsigned ? {} : { authorization: this.#authorization(body) }),
      },
    });
    return { status: response.status, body: await response.text() };
  }

  #authorization(body: string): string {
    const seed = this.#key.privateKey.export({ format: "der", type: "pkcs8" }).subarray(-32).toString("base64");
    const signer = { subscriberId: MARKET_ID, keyId: "k1", privateKey: privateKeyFromBase64(seed) };
    return signBody(signer, Buffer.from(body), {
      nowMs: this.clock.now(),
      lifetimeMs: this.#options.clock === undefined ? 60_000 : 600_000,
    }).authorization;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const guest of this.#guests.reverse()) await guest[Symbol.asyncDispose]();
    await this.#gateway?.[Symbol.asyncDispose]();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Window of a setpoint from now for so many seconds, as the market writes it. */
export function windowFor(seconds: number, nowMs = Date.now()): { validFrom: string; validUntil: string } {
  return { validFrom: new Date(nowMs).toISOString(), validUntil: new Date(nowMs + seconds * 1000).toISOString() };
}
