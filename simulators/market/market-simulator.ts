import { type Clock, repeatEvery } from "../../src/clock.ts";
import type { Log } from "../../src/log.ts";
import { Delivery } from "./delivery.ts";
import { FrontDesk } from "./front-desk.ts";
import { gridPrices } from "./grid-supply.ts";
import { HttpDoor } from "./http-door.ts";
import type { MarketEvent } from "./market-event.ts";
import { createSigningKey, type SigningKey } from "./signature.ts";
import { TradingFloor } from "./trading-floor.ts";

export interface MarketSimulatorOptions {
  readonly subscriberId: string;
  readonly keyId: string;
  readonly clock: Clock;
  readonly log: Log;
  /** The same seed gives the same grid prices. */
  readonly seed: number;
  /** Length of a market interval, elapsed ms. */
  readonly intervalMs: number;
  /** ISO 4217; INR if absent. */
  readonly currency?: string;
  /** Uncontrolled load, kW, export positive and so negative; none if absent. */
  readonly houseKW?: () => number;
  /** Broker for participants whose `bap_uri` begins with `mqtt:`, and for `deliverOverMqtt`. */
  readonly mqttUrl?: string;
  /** True for a resource whose callbacks go over MQTT although its participant has an HTTP address. */
  readonly deliverOverMqtt?: (era: string) => boolean;
  /** `subscriber|key` → public key, base64. Present: every message must be signed; it may grow while the market runs. */
  readonly participantKeys?: Map<string, string>;
  /** Ed25519 private key, base64 of 32 or 64 bytes; a new one if absent. */
  readonly privateKey?: string;
  /** Elapsed ms after a gate in which its offers may be confirmed; half an interval if absent. */
  readonly confirmWithinMs?: number;
  /** Middle price of the grid at the n-th gate, instead of the seeded one. */
  readonly gridPricePerKWh?: (gate: number) => number;
  /** Hears all that happens; may not throw. */
  readonly onEvent?: (event: MarketEvent) => void;
}

/** What the market did so far. */
export interface MarketSummary {
  /** `on_confirm` sent; those that are neither acked nor nacked found nobody, or wait. */
  readonly onConfirm: number;
  readonly acked: number;
  readonly nacked: number;
  /** Each clearing; the quantity is the gross matched power in kW: all that is given, which is all that is taken. */
  readonly cleared: readonly { readonly price: number; readonly quantityKW: number }[];
  /** Messages with telemetry. */
  readonly telemetry: number;
  readonly bidCurves: number;
}

/**
 * A market clearing agent: a Beckn BPP that collects bid curves, clears them at each gate against an outside grid, offers
 * the price and, to those who confirm, sends a signed setpoint.
 */
export class MarketSimulator implements AsyncDisposable {
  /** Base64 of the raw 32 bytes. */
  readonly publicKey: string;
  readonly #options: MarketSimulatorOptions;
  readonly #delivery: Delivery;
  readonly #floor: TradingFloor;
  readonly #door: HttpDoor;
  readonly #stop = new AbortController();
  #gates: Promise<void> | undefined;
  #url = "";

  constructor(options: MarketSimulatorOptions) {
    const { subscriberId, keyId, clock, log, seed, intervalMs, participantKeys, mqttUrl, deliverOverMqtt } = options;
    const key: SigningKey = createSigningKey(subscriberId, keyId, options.privateKey);
    this.#options = options;
    this.publicKey = key.publicKey;
    this.#delivery = new Delivery({
      key,
      clock,
      log,
      seed,
      ...(mqttUrl !== undefined && { mqttUrl }),
      ...(deliverOverMqtt !== undefined && { deliverOverMqtt }),
    });
    this.#floor = new TradingFloor({
      market: () => ({ subscriberId, url: this.#url, currency: options.currency ?? "INR" }),
      clock,
      log,
      delivery: this.#delivery,
      intervalMs,
      confirmWithinMs: options.confirmWithinMs ?? intervalMs / 2,
      gridPrice: options.gridPricePerKWh ?? gridPrices(seed),
      houseKW: options.houseKW ?? (() => 0),
      emit: (event) => this.#emit(event),
    });
    const desk = new FrontDesk({
      subscriberId,
      clock,
      log,
      ...(participantKeys !== undefined && { participantKeys }),
      handle: (request) => this.#floor.handle(request),
      onRefused: (action, { code, paths, message }) =>
        this.#emit({ kind: "refused", action: action.slice(0, 64), code, paths, reason: message }),
    });
    this.#door = new HttpDoor(desk, subscriberId);
  }

  /**
   * Opens the door and begins the intervals; the first gate comes after one interval.
   * @throws Error if the port cannot be had
   */
  async start(port = 0, host = "127.0.0.1"): Promise<{ url: string }> {
    const bound = await this.#door.listen(port, host);
    this.#url = `http://${bound.host.includes(":") ? `[${bound.host}]` : bound.host}:${bound.port}`;
    this.#delivery.start();
    const { clock, intervalMs } = this.#options;
    this.#gates = repeatEvery(clock, intervalMs, this.#stop.signal, () => this.openGate());
    return { url: this.#url };
  }

  /** Clears now, outside the rhythm. Never throws. */
  openGate(): void {
    try {
      this.#floor.openGate(this.#stop.signal);
    } catch (error) {
      this.#options.log.error("a market gate failed", { err: error });
    }
  }

  summary(): MarketSummary {
    return { ...this.#floor.counts, cleared: [...this.#floor.cleared] };
  }

  /** Currency per kWh of the last clearing. */
  currentPrice(): number | undefined {
    return this.#floor.pricePerKWh;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort(new Error("the market is closing"));
    await this.#door[Symbol.asyncDispose]();
    await this.#delivery[Symbol.asyncDispose]();
    await this.#gates;
  }

  #emit(event: MarketEvent): void {
    this.#options.log.debug("market", event);
    this.#options.onEvent?.(event);
  }
}
