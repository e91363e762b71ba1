import type { Clock } from "../../src/clock.ts";
import { Battery } from "../world/battery.ts";
import { type Flow, gridNow } from "../world/flow.ts";
import type { SolarPanel } from "../world/solar-panel.ts";

/** What the device's own instruments show now. Power in kW, export positive. */
export interface Measurement extends Flow {
  /** What it could give out now if nothing held it back, kW, never negative. */
  readonly availableKW: number;
  /** Magnitude on each of the three phases. */
  readonly currentA: number;
  readonly temperatureC: number;
  /** Absent without a battery. */
  readonly socPercent?: number;
}

/** A device in the field has run before; besides, SunSpec takes an energy of 0 for "not implemented". */
const LIFETIME_EXPORT_KWH = 1500;
const LIFETIME_IMPORT_KWH = 900;

const CONVERTER_EFFICIENCY = 0.97;

/** The panels or cells behind the register map, with what the nameplate and the installer say. All powers in kW. */
export class Plant {
  readonly ratingKW: number;
  /** Magnitudes; 0 without a battery. */
  readonly maxChargeKW: number;
  readonly maxDischargeKW: number;
  readonly capacityKWh: number | undefined;
  /** The installer's limit (WMax), to which percentages refer; at most the rating. */
  wMaxKW: number;
  readonly #clock: Clock;
  readonly #source: SolarPanel | Battery;
  readonly #freeKW: number;

  /** @param idleKW what a battery does when nobody tells it anything, export positive */
  constructor(clock: Clock, source: SolarPanel | Battery, idleKW: number) {
    this.#clock = clock;
    this.#source = source;
    if (source instanceof Battery) {
      const { maxChargeKW, maxDischargeKW, capacityKWh } = source.options;
      this.ratingKW = Math.max(maxChargeKW, maxDischargeKW);
      this.maxChargeKW = maxChargeKW;
      this.maxDischargeKW = maxDischargeKW;
      this.capacityKWh = capacityKWh;
      this.#freeKW = idleKW;
    } else {
      this.ratingKW = source.ratingKW;
      this.maxChargeKW = 0;
      this.maxDischargeKW = 0;
      this.capacityKWh = undefined;
      this.#freeKW = Number.POSITIVE_INFINITY;
    }
    this.wMaxKW = this.ratingKW;
  }

  get isBattery(): boolean {
    return this.#source instanceof Battery;
  }

  /** Of the cells or the panels behind the converter. */
  get dcVoltageV(): number {
    return this.isBattery ? 410 : 620;
  }

  /** What goes through the converter's other side at a power, kW, positive out of panels or cells: it loses some either way. */
  dcPowerKW(powerKW: number): number {
    return powerKW >= 0 ? powerKW / CONVERTER_EFFICIENCY : powerKW * CONVERTER_EFFICIENCY;
  }

  /** The power it aims at when no control is enabled: its own default for a battery, all the sun for panels. */
  wantedKW(): number {
    return Math.min(this.#freeKW, this.wMaxKW);
  }

  command(powerKW: number): void {
    if (this.#source instanceof Battery) this.#source.command(powerKW);
    else this.#source.limit(Math.max(0, powerKW));
  }

  powerKW(): number {
    return this.#source.powerKW();
  }

  measure(): Measurement {
    const powerKW = this.#source.powerKW();
    const { voltageV, frequencyHz } = gridNow(this.#clock, powerKW);
    return {
      powerKW,
      availableKW:
        this.#source instanceof Battery
          ? this.#source.maxDischargeNowKW()
          : Math.min(this.#source.availableKW(), this.wMaxKW),
      voltageV,
      currentA: (Math.abs(powerKW) * 1000) / 3 / voltageV,
      frequencyHz,
      temperatureC: 30 + (15 * Math.abs(powerKW)) / Math.max(this.ratingKW, 0.1),
      exportKWh: LIFETIME_EXPORT_KWH + this.#source.meter.exportKWh,
      importKWh: LIFETIME_IMPORT_KWH + this.#source.meter.importKWh,
      ...(this.#source instanceof Battery ? { socPercent: this.#source.socPercent } : {}),
    };
  }
}
