import type { Clock } from "../../src/clock.ts";
import { EnergyMeter } from "./energy-meter.ts";

/** Where a site meets the grid: what its loads draw, less what its roof and its battery give. kW, export positive. */
export class SiteConnection {
  readonly meter: EnergyMeter;
  readonly #parts: readonly { powerKW(): number }[];

  constructor(clock: Clock, parts: readonly { powerKW(): number }[]) {
    this.meter = new EnergyMeter(clock);
    this.#parts = parts;
  }

  /** Moves everything to now and returns what flows through the connection. */
  powerKW(): number {
    const powerKW = this.#parts.reduce((sum, part) => sum + part.powerKW(), 0);
    this.meter.advance(powerKW);
    return powerKW;
  }
}
