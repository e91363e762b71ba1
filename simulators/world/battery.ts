import type { Clock } from "../../src/clock.ts";
import { EnergyMeter } from "./energy-meter.ts";
import { Lag } from "./lag.ts";

export interface BatteryOptions {
  readonly capacityKWh: number;
  readonly socPercent: number;
  /** Magnitude, kW. */
  readonly maxChargeKW: number;
  /** Magnitude, kW; 0 for a car that cannot give back. */
  readonly maxDischargeKW: number;
  /** Share of the energy taken in that arrives in the cells, and of theirs that comes out, 0 to 1; 0.95 if absent. */
  readonly chargeEfficiency?: number;
  /** Below this it gives nothing back; 5 if absent. */
  readonly reservePercent?: number;
  /** Elapsed ms before the hardware reacts at all, and the time constant of its approach after that. */
  readonly deadMs?: number;
  readonly tauMs?: number;
  /** Hours of the model per hour of the clock; a demo lets a car fill in minutes. */
  readonly energySpeed?: number;
}

/** Cells behind a converter: a home battery, or a car. Power in kW, export positive. */
export class Battery {
  readonly options: BatteryOptions;
  readonly meter: EnergyMeter;
  readonly #lag: Lag;
  #storedKWh: number;
  #commandKW = 0;

  constructor(clock: Clock, options: BatteryOptions) {
    this.options = options;
    this.meter = new EnergyMeter(clock);
    this.#lag = new Lag(clock, { startKW: 0, deadMs: options.deadMs ?? 300, tauMs: options.tauMs ?? 700 });
    this.#storedKWh = (options.capacityKWh * options.socPercent) / 100;
  }

  get socPercent(): number {
    return (100 * this.#storedKWh) / this.options.capacityKWh;
  }

  get reservePercent(): number {
    return this.options.reservePercent ?? 5;
  }

  /** Asks for a power; the cells and the converter give what they can. */
  command(powerKW: number): void {
    this.#commandKW = powerKW;
    this.#lag.command(this.#possible(powerKW));
  }

  /** Moves the model to now and returns the power at the terminals, kW. */
  powerKW(): number {
    const energyKWh = this.meter.advance(this.#lag.powerKW()) * (this.options.energySpeed ?? 1);
    const efficiency = this.options.chargeEfficiency ?? 0.95;
    const intoCellsKWh = energyKWh < 0 ? -energyKWh * efficiency : -energyKWh / efficiency;
    this.#storedKWh = Math.min(Math.max(this.#storedKWh + intoCellsKWh, 0), this.options.capacityKWh);
    this.#lag.command(this.#possible(this.#commandKW));
    return this.#lag.powerKW();
  }

  /** The most the cells take in now, kW magnitude: above 90 % the cells ask for less, as real ones do. */
  maxChargeNowKW(): number {
    const taper = Math.min(1, Math.max(0, (100 - this.socPercent) / 10));
    return this.options.maxChargeKW * taper;
  }

  maxDischargeNowKW(): number {
    return this.socPercent <= this.reservePercent ? 0 : this.options.maxDischargeKW;
  }

  #possible(powerKW: number): number {
    return powerKW < 0 ? Math.max(powerKW, -this.maxChargeNowKW()) : Math.min(powerKW, this.maxDischargeNowKW());
  }
}
