import type { Clock } from "../../../src/clock.ts";
import type { Battery } from "../../world/battery.ts";
import { type EffectiveLimit, effectiveLimit, limitKW, pauses, type Wiring } from "../profiles/effective-limit.ts";
import type { ProfileStore } from "../profiles/profile-store.ts";
import { turnSign } from "./import-sign.ts";
import type { MeterSample } from "./meter-sample.ts";

/** What the power does while a transaction runs. The names are those of OCPP. */
export type ChargingState = "Charging" | "SuspendedEV" | "SuspendedEVSE" | "EVConnected";

/** Above this the car says that it wants no more. */
const FULL_PERCENT = 99.5;

/** The contactor, the pilot signal, the meter and the car behind them. */
export class EnergyPath {
  readonly car: Battery;
  readonly wiring: Wiring;
  readonly #clock: Clock;
  readonly #profiles: ProfileStore;
  readonly #heedsProfiles: () => boolean;
  #closedSinceMs: number | undefined;

  constructor(options: {
    clock: Clock;
    car: Battery;
    wiring: Wiring;
    profiles: ProfileStore;
    heedsProfiles: () => boolean;
  }) {
    this.#clock = options.clock;
    this.car = options.car;
    this.wiring = options.wiring;
    this.#profiles = options.profiles;
    this.#heedsProfiles = options.heedsProfiles;
  }

  /** Closes the contactor; relative schedules count from the start of the transaction. */
  close(transactionStartMs: number): void {
    this.#closedSinceMs = transactionStartMs;
  }

  open(): void {
    this.#closedSinceMs = undefined;
  }

  /** What binds now, whether or not a car draws it. */
  limit(): EffectiveLimit {
    const profiles = this.#heedsProfiles() ? this.#profiles.all : [];
    return effectiveLimit(profiles, this.moment(), this.wiring);
  }

  moment(): { nowMs: number; transactionStartMs?: number } {
    const nowMs = this.#clock.now();
    return this.#closedSinceMs === undefined ? { nowMs } : { nowMs, transactionStartMs: this.#closedSinceMs };
  }

  /** Tells the car what it may draw now, and says what comes of it. */
  drive(): ChargingState {
    const state = this.#state();
    const allowedKW = state === "Charging" ? limitKW(this.limit(), this.wiring) : 0;
    this.car.command(turnSign(Math.min(allowedKW, this.car.options.maxChargeKW)));
    this.car.powerKW();
    return state;
  }

  #state(): ChargingState {
    if (this.#closedSinceMs === undefined) return "EVConnected";
    if (pauses(this.limit())) return "SuspendedEVSE";
    return this.car.socPercent >= FULL_PERCENT ? "SuspendedEV" : "Charging";
  }

  /** kW, export positive: 0 or less. */
  powerKW(): number {
    return Math.min(0, this.car.powerKW());
  }

  sample(): MeterSample {
    const powerW = 1000 * turnSign(this.powerKW());
    const limit = this.limit();
    const closed = this.#closedSinceMs !== undefined;
    const perPhaseA = powerW / (limit.phases * this.wiring.voltageV);
    const offeredA = closed && !pauses(limit) ? limit.limitA : 0;
    return {
      timeMs: this.#clock.now(),
      energyWh: this.car.meter.importKWh * 1000,
      powerW,
      currentA: Array.from({ length: this.wiring.phases }, (_, index) => (index < limit.phases ? perPhaseA : 0)),
      voltageV: this.wiring.voltageV,
      offeredA,
      offeredW: offeredA * limit.phases * this.wiring.voltageV,
      socPercent: this.car.socPercent,
      phasesUsed: limit.phases,
    };
  }
}
