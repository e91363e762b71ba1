import type { Clock } from "../../src/clock.ts";
import { EnergyMeter } from "../world/energy-meter.ts";
import { Lag } from "../world/lag.ts";
import { Refusal, type SimDevice, type SimResource, text } from "./resource.ts";

export interface DimmableLoadOptions {
  /** Power at 100 %, kW. */
  readonly ratingKW: number;
  /** True: an LwM2M power meter beside a load that nobody can dim. */
  readonly meterOnly?: boolean;
  readonly serial?: string;
  readonly deadMs?: number;
  readonly tauMs?: number;
}

/** What it draws by itself, percent. */
const OWN_PERCENT = 80;

/**
 * A heater behind LwM2M (IPSO) objects: 3305 measures it, 3312 switches and dims it. It forgets orders when it restarts, and
 * has no timer that would end them.
 */
export class DimmableLoad implements SimDevice {
  readonly resources: ReadonlyMap<string, SimResource>;
  readonly #ratingKW: number;
  readonly #lag: Lag;
  readonly #meter: EnergyMeter;
  #percent = OWN_PERCENT;
  #isOn = true;

  constructor(clock: Clock, options: DimmableLoadOptions) {
    const { ratingKW, deadMs = 300, tauMs = 700, meterOnly, serial = "SIM-1" } = options;
    this.#ratingKW = ratingKW;
    this.#lag = new Lag(clock, { startKW: (-ratingKW * OWN_PERCENT) / 100, deadMs, tauMs });
    this.#meter = new EnergyMeter(clock, 12.5);
    const measuring: [string, SimResource][] = [
      ["/3/0/0", text(() => "setpointd")],
      ["/3/0/1", text(() => "simulated heater")],
      ["/3/0/2", text(() => serial)],
      ["/3/0/3", text(() => "1.0")],
      ["/3305/0", { ...text(() => "") }],
      // 3305 counts what a load uses, so that consumption is positive.
      ["/3305/0/5800", { ...text(() => (-1000 * this.powerKW()).toFixed(1)), type: "oma.lwm2m", observable: true }],
      ["/3305/0/5805", text(() => this.#importWh().toFixed(1))],
      ["/3316/0/5700", text(() => "231.5")],
      ["/3317/0/5700", text(() => ((-1000 * this.powerKW()) / 231.5).toFixed(2))],
    ];
    const controlling: [string, SimResource][] = [
      ["/3312/0", { ...text(() => "") }],
      [
        "/3312/0/5850",
        text(
          () => (this.#isOn ? "1" : "0"),
          (order) => this.#switch(order),
        ),
      ],
      [
        "/3312/0/5851",
        text(
          () => this.#percent,
          (order) => this.#dim(order),
        ),
      ],
    ];
    this.resources = new Map(meterOnly ? measuring : [...measuring, ...controlling]);
  }

  powerKW(): number {
    return this.#lag.powerKW();
  }

  underControl(): boolean {
    return this.#percent !== OWN_PERCENT || !this.#isOn;
  }

  restart(): void {
    this.#percent = OWN_PERCENT;
    this.#isOn = true;
    this.#obey();
  }

  #switch(order: string): void {
    if (order !== "0" && order !== "1") throw new Refusal("4.00", "5850 is a boolean: 0 or 1");
    this.#isOn = order === "1";
    this.#obey();
  }

  #dim(order: string): void {
    const percent = Number(order);
    if (!/^\d+$/.test(order) || percent > 100) throw new Refusal("4.00", "5851 is a whole number from 0 to 100");
    this.#percent = percent;
    this.#obey();
  }

  #obey(): void {
    this.#importWh();
    this.#lag.command(this.#isOn ? (-this.#ratingKW * this.#percent) / 100 : 0);
  }

  #importWh(): number {
    this.#meter.advance(this.powerKW());
    return this.#meter.importKWh * 1000;
  }
}
