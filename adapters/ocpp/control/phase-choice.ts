import type { Clock } from "../../../src/clock.ts";
import type { OcppDevice } from "../config.ts";
import type { Traits } from "../setup/traits.ts";
import { ratingOf } from "./import-limit.ts";

/** How many lines a car is to charge on, and when that may be thought over where it may not change yet. */
export interface Phases {
  readonly phases: number;
  /** Elapsed ms until a switch that would help is allowed; absent where none would. */
  readonly betterInMs?: number;
}

/** True where the charger can be told to use one line instead of three. */
export function switchesPhases({ phaseSwitching, phases, current }: OcppDevice, traits: Traits): boolean {
  if (phases !== 3 || current === "DC" || phaseSwitching === "off") return false;
  return phaseSwitching === "on" || traits.switchesPhases === true;
}

const SLACK_KW = 1e-6;

/** A charger that switches opens its contactors, and the car begins anew; until then the meter shows what was before. */
const SWITCH_SETTLES_MS = 60_000;

/**
 * Switches a charger between three lines and one, only where that makes a power reachable: three lines cannot carry less than
 * three times 6 A. Each switch opens contactors and makes the car begin anew, so they stay minutes apart.
 */
export class PhaseChoice {
  readonly #device: OcppDevice;
  readonly #clock: Clock;
  #phases: number;
  #switchedAtMs: number | undefined;

  constructor(device: OcppDevice, clock: Clock) {
    this.#device = device;
    this.#clock = clock;
    this.#phases = device.phases;
  }

  /** Lines that the charger was last told to use. */
  get current(): number {
    return this.#phases;
  }

  /** False while the meter may still show the lines from before a switch. */
  get isSettled(): boolean {
    return this.#clock.elapsedMs() - (this.#switchedAtMs ?? Number.NEGATIVE_INFINITY) >= SWITCH_SETTLES_MS;
  }

  choose(importKW: number, canSwitch: boolean): Phases {
    const wanted = canSwitch ? this.#wanted(importKW) : this.#device.phases;
    if (wanted === this.#phases || !canSwitch) return { phases: wanted };
    const sinceMs = this.#clock.elapsedMs() - (this.#switchedAtMs ?? Number.NEGATIVE_INFINITY);
    const leftMs = this.#device.phaseSwitchSpacingS * 1000 - sinceMs;
    return leftMs > 0 ? { phases: this.#phases, betterInMs: leftMs } : { phases: wanted };
  }

  /** The charger accepted a limit for so many lines. */
  accepted(phases: number): void {
    if (phases === this.#phases) return;
    this.#phases = phases;
    this.#switchedAtMs = this.#clock.elapsedMs();
  }

  #wanted(importKW: number): number {
    const three = ratingOf(this.#device, 3);
    const one = ratingOf(this.#device, 1);
    if (importKW >= three.minKW - SLACK_KW) return 3;
    const reachable = importKW >= one.minKW - SLACK_KW || (importKW > SLACK_KW && this.#device.belowMin === "min");
    // To pause needs no switch.
    return reachable ? 1 : this.#phases;
  }
}
