import type { Clock } from "../../src/clock.ts";
import { Battery, type BatteryOptions } from "./battery.ts";

export interface ElectricCarOptions extends BatteryOptions {
  /** When the driver wants to leave, epoch ms; absent if nobody said. */
  readonly departureMs?: number;
  /** Charge that the driver wants by then, 80 if absent. */
  readonly targetPercent?: number;
}

/** What a car tells a charger about itself and its driver, as in ISO 15118-20. Energies in kWh at the terminals. */
export interface CarNeeds {
  readonly departureMs?: number;
  readonly targetPercent: number;
  /** To the target; negative where the car has more already. */
  readonly targetEnergyKWh: number;
  /** To the reserve; negative while the car is above it. */
  readonly minEnergyKWh: number;
  /** To full. */
  readonly maxEnergyKWh: number;
}

/** A car with a driver: a battery that has somewhere to be. With `maxDischargeKW` above 0 it can give back (V2G). */
export class ElectricCar extends Battery {
  readonly #driver: Pick<ElectricCarOptions, "departureMs" | "targetPercent">;

  constructor(clock: Clock, options: ElectricCarOptions) {
    super(clock, options);
    this.#driver = options;
  }

  needs(): CarNeeds {
    const { departureMs, targetPercent = 80 } = this.#driver;
    return {
      ...(departureMs === undefined ? {} : { departureMs }),
      targetPercent,
      targetEnergyKWh: this.#energyToKWh(targetPercent),
      minEnergyKWh: this.#energyToKWh(this.reservePercent),
      maxEnergyKWh: this.#energyToKWh(100),
    };
  }

  /** What goes through the terminals until the cells hold so much: losses make it more on the way in, less on the way out. */
  #energyToKWh(percent: number): number {
    const intoCellsKWh = ((percent - this.socPercent) / 100) * this.options.capacityKWh;
    const efficiency = this.options.chargeEfficiency ?? 0.95;
    return intoCellsKWh > 0 ? intoCellsKWh / efficiency : intoCellsKWh * efficiency;
  }
}
