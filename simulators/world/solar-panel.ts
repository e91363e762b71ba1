import type { Clock } from "../../src/clock.ts";
import { EnergyMeter } from "./energy-meter.ts";
import { Lag } from "./lag.ts";
import type { Sun } from "./sun.ts";

/** Panels behind an inverter that can be curtailed. Power in kW, never negative. */
export class SolarPanel {
  readonly ratingKW: number;
  readonly meter: EnergyMeter;
  readonly #sun: Sun;
  readonly #lag: Lag;
  #limitKW = Number.POSITIVE_INFINITY;

  constructor(clock: Clock, sun: Sun, options: { ratingKW: number; deadMs?: number; tauMs?: number }) {
    this.ratingKW = options.ratingKW;
    this.#sun = sun;
    this.meter = new EnergyMeter(clock);
    this.#lag = new Lag(clock, {
      startKW: this.availableKW(),
      deadMs: options.deadMs ?? 300,
      tauMs: options.tauMs ?? 600,
    });
  }

  /** What the sky gives now, kW, whatever the limit. */
  availableKW(): number {
    return this.ratingKW * this.#sun.share();
  }

  /** The inverter may generate no more than this; `undefined` takes the limit away. */
  limit(powerKW: number | undefined): void {
    this.#limitKW = powerKW ?? Number.POSITIVE_INFINITY;
  }

  powerKW(): number {
    this.#lag.command(Math.min(this.availableKW(), this.#limitKW));
    const powerKW = this.#lag.powerKW();
    this.meter.advance(powerKW);
    return powerKW;
  }
}
