import type { Clock } from "../../src/clock.ts";

/** Integrates a power over elapsed time into two registers that only rise, as a real meter does. */
export class EnergyMeter {
  readonly #clock: Clock;
  #lastMs: number;
  #lastKW = 0;
  #importKWh: number;
  #exportKWh = 0;

  constructor(clock: Clock, startImportKWh = 0) {
    this.#clock = clock;
    this.#lastMs = clock.elapsedMs();
    this.#importKWh = startImportKWh;
  }

  get importKWh(): number {
    return this.#importKWh;
  }

  get exportKWh(): number {
    return this.#exportKWh;
  }

  /** Takes in the power that holds now (kW, export positive); returns the net energy since the last call, kWh. */
  advance(powerKW: number): number {
    const nowMs = this.#clock.elapsedMs();
    const hours = (nowMs - this.#lastMs) / 3_600_000;
    const energyKWh = ((powerKW + this.#lastKW) / 2) * hours;
    if (energyKWh < 0) this.#importKWh -= energyKWh;
    else this.#exportKWh += energyKWh;
    this.#lastMs = nowMs;
    this.#lastKW = powerKW;
    return energyKWh;
  }
}
