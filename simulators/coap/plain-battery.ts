import { encode } from "cborg";
import type { Clock } from "../../src/clock.ts";
import type { Battery } from "../world/battery.ts";
import { CONTENT_FORMAT, Refusal, type SimDevice, type SimResource } from "./resource.ts";

/** What it gives out by itself, so that being released can be seen, W. */
const IDLE_W = 300;

/** A battery with a setpoint that ends by itself, in JSON, CBOR and SenML. Positive power is generation. */
export class PlainBattery implements SimDevice {
  readonly resources: ReadonlyMap<string, SimResource>;
  readonly #clock: Clock;
  readonly #battery: Battery;
  #order: { readonly powerW: number; readonly endsAtMs: number } | undefined;

  constructor(clock: Clock, battery: Battery, serial = "SIM-1") {
    this.#clock = clock;
    this.#battery = battery;
    const { capacityKWh, maxChargeKW, maxDischargeKW } = battery.options;
    this.resources = new Map<string, SimResource>([
      [
        "/der/info",
        {
          format: CONTENT_FORMAT.cbor,
          read: () =>
            Buffer.from(
              encode({
                vendor: "setpointd",
                model: "simulated battery",
                serial,
                capacityWh: capacityKWh * 1000,
                maxChargeW: maxChargeKW * 1000,
                maxDischargeW: maxDischargeKW * 1000,
                // Makes the answer longer than one block.
                notes: "x".repeat(1500),
              }),
            ),
        },
      ],
      ["/der/status", { format: CONTENT_FORMAT.json, observable: true, read: () => json(this.#status()) }],
      ["/der/registers", { format: CONTENT_FORMAT.senmlJson, read: () => json(this.#registers()) }],
      [
        "/der/setpoint",
        {
          format: CONTENT_FORMAT.json,
          read: () => json({ power: this.#ordered()?.powerW ?? 0, seconds: this.#secondsLeft() }),
          write: (payload) => this.#take(payload),
        },
      ],
    ]);
    this.#obey();
  }

  powerKW(): number {
    this.#obey();
    return this.#battery.powerKW();
  }

  underControl(): boolean {
    return this.#ordered() !== undefined;
  }

  restart(): void {
    this.#order = undefined;
    this.#obey();
  }

  #status() {
    const powerW = Math.round(this.powerKW() * 1000);
    return { power: powerW, voltage: 230.4, soc: Number(this.#battery.socPercent.toFixed(1)) };
  }

  #registers() {
    this.powerKW();
    const { importKWh, exportKWh } = this.#battery.meter;
    return [
      { bn: "urn:dev:meter:", bu: "Wh", n: "import", v: importKWh * 1000 },
      { n: "export", v: exportKWh * 1000 },
    ];
  }

  #take(payload: Buffer): void {
    const order = orderFrom(payload);
    if (order.seconds === 0) {
      this.restart();
      return;
    }
    const { maxChargeKW, maxDischargeKW } = this.#battery.options;
    if (order.power === undefined) throw new Refusal("4.00", "power is missing");
    if (order.power < -maxChargeKW * 1000 || order.power > maxDischargeKW * 1000)
      throw new Refusal("4.00", "more than the battery can");
    this.#order = { powerW: order.power, endsAtMs: this.#clock.elapsedMs() + order.seconds * 1000 };
    this.#obey();
  }

  #ordered() {
    if (this.#order !== undefined && this.#clock.elapsedMs() >= this.#order.endsAtMs) this.#order = undefined;
    return this.#order;
  }

  #secondsLeft(): number {
    const order = this.#ordered();
    return order === undefined ? 0 : Math.ceil((order.endsAtMs - this.#clock.elapsedMs()) / 1000);
  }

  #obey(): void {
    this.#battery.command((this.#ordered()?.powerW ?? IDLE_W) / 1000);
  }
}

function orderFrom(payload: Buffer): { readonly power?: number; readonly seconds: number } {
  let order: unknown;
  try {
    order = JSON.parse(payload.toString("utf8"));
  } catch {
    throw new Refusal("4.00", "no JSON");
  }
  if (typeof order !== "object" || order === null) throw new Refusal("4.00", "no object");
  const { power, seconds, ...unknown } = order as Record<string, unknown>;
  if (Object.keys(unknown).length > 0) throw new Refusal("4.00", `${Object.keys(unknown)[0]} is unknown`);
  if (typeof seconds !== "number" || !(seconds >= 0 && seconds <= 3600))
    throw new Refusal("4.00", "seconds must be from 0 to 3600");
  if (power !== undefined && typeof power !== "number") throw new Refusal("4.00", "power must be a number");
  return { seconds, ...(power === undefined ? {} : { power }) };
}

function json(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value));
}
