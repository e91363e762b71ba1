import type { Clock } from "../../../src/clock.ts";
import type { Battery } from "../../world/battery.ts";
import type { ChargingProfile, Moment } from "../profiles/charging-profile.ts";
import { askedKW, type EffectiveLimit, effectiveLimit, pauses, type Wiring } from "../profiles/effective-limit.ts";
import { turnSign } from "./import-sign.ts";
import type { MeterSample } from "./meter-sample.ts";

/** What the power does while a transaction runs. The names are those of OCPP. */
export type ChargingState = "Charging" | "SuspendedEV" | "SuspendedEVSE" | "EVConnected";

/** Above this the car says that it wants no more. */
const FULL_PERCENT = 99.5;

export interface EnergyPathOptions {
  readonly clock: Clock;
  readonly car: Battery;
  readonly wiring: Wiring;
  /** Those that the charger heeds at this connector. */
  readonly profiles: () => readonly ChargingProfile[];
  /** How long the link has been down; absent while it is up. */
  readonly offlineMs: () => number | undefined;
  /** How many connectors divide the station's maximum. */
  readonly connectorsInUse: () => number;
  /** The CSMS allowed this car to give back. */
  readonly mayDischarge: () => boolean;
  /** What a fault of the charger makes of a limit. */
  readonly spoil: (limit: EffectiveLimit) => EffectiveLimit;
  /** How long no current flows when the number of conductors changes. */
  readonly phaseSwitchMs: number;
}

/** The contactor, the pilot signal, the meter and the car behind them. */
export class EnergyPath {
  readonly car: Battery;
  readonly wiring: Wiring;
  readonly #options: EnergyPathOptions;
  #closedSinceMs: number | undefined;
  #phases: number | undefined;
  #switchedAtMs = Number.NEGATIVE_INFINITY;

  constructor(options: EnergyPathOptions) {
    this.#options = options;
    this.car = options.car;
    this.wiring = options.wiring;
  }

  /** True while a transaction may draw or give power. */
  get closed(): boolean {
    return this.#closedSinceMs !== undefined;
  }

  /** Closes the contactor; relative schedules count from the start of the transaction. */
  close(transactionStartMs: number): void {
    this.#closedSinceMs = transactionStartMs;
    this.#phases = undefined;
  }

  open(): void {
    this.#closedSinceMs = undefined;
  }

  /** What binds now, whether or not a car draws it. */
  limit(): EffectiveLimit {
    const { profiles, connectorsInUse, mayDischarge, spoil } = this.#options;
    const limit = effectiveLimit(profiles(), this.moment(), this.wiring, connectorsInUse());
    const { setpointA } = limit;
    return spoil(setpointA !== undefined && setpointA < 0 && !mayDischarge() ? { ...limit, setpointA: 0 } : limit);
  }

  moment(): Moment {
    const offlineMs = this.#options.offlineMs();
    return {
      nowMs: this.#options.clock.now(),
      ...(this.#closedSinceMs === undefined ? {} : { transactionStartMs: this.#closedSinceMs }),
      ...(offlineMs === undefined ? {} : { offlineMs }),
    };
  }

  /** Tells the car what it may draw now, and says what comes of it. */
  drive(): ChargingState {
    const limit = this.limit();
    const state = this.#state(limit);
    this.car.command(state === "Charging" ? turnSign(askedKW(limit, this.wiring)) : 0);
    this.car.powerKW();
    return state;
  }

  #state(limit: EffectiveLimit): ChargingState {
    if (this.#closedSinceMs === undefined) return "EVConnected";
    if (this.#isSwitching(limit) || pauses(limit, this.wiring)) return "SuspendedEVSE";
    if ((limit.setpointA ?? 0) < 0) return this.car.maxDischargeNowKW() > 0 ? "Charging" : "SuspendedEV";
    return this.car.socPercent >= FULL_PERCENT ? "SuspendedEV" : "Charging";
  }

  /** A contactor must not switch under load, and the car has to notice. */
  #isSwitching({ phases }: EffectiveLimit): boolean {
    const nowMs = this.#options.clock.elapsedMs();
    if (this.#phases !== undefined && this.#phases !== phases) this.#switchedAtMs = nowMs;
    this.#phases = phases;
    return nowMs - this.#switchedAtMs < this.#options.phaseSwitchMs;
  }

  /** kW, export positive. */
  powerKW(): number {
    return this.car.powerKW();
  }

  sample(): MeterSample {
    const chargingW = 1000 * turnSign(this.powerKW());
    const limit = this.limit();
    const { voltageV } = this.wiring;
    const isUsed = (index: number) =>
      limit.phaseToUse === undefined ? index < limit.phases : index === limit.phaseToUse - 1;
    const conductors = (watts: number) =>
      Array.from({ length: this.wiring.phases }, (_, index) => (isUsed(index) ? watts / (limit.phases * voltageV) : 0));
    const importW = Math.max(0, chargingW);
    const exportW = Math.max(0, -chargingW);
    const offeredA = this.closed && !pauses(limit, this.wiring) ? limit.limitA : 0;
    return {
      timeMs: this.#options.clock.now(),
      importWh: this.car.meter.importKWh * 1000,
      exportWh: this.car.meter.exportKWh * 1000,
      importW,
      exportW,
      importA: conductors(importW),
      exportA: conductors(exportW),
      voltageV,
      offeredA,
      offeredW: offeredA * limit.phases * voltageV,
      ...(limit.setpointA === undefined ? {} : { setpointW: 1000 * askedKW(limit, this.wiring) }),
      socPercent: this.car.socPercent,
      phasesUsed: limit.phases,
      current: this.wiring.current ?? "AC",
    };
  }
}
