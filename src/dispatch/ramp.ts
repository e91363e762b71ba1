import type { Limit } from "../model/limit.ts";

/** Shortest time between two steps: each is a command, and some chargers write every profile to their flash. */
const STEP_MS = 5_000;
/** Least step, kW: below it a device's own rounding would be all that moves. */
const STEP_KW = 0.2;

/**
 * How fast the power of one device may grow, in either direction. It grows in stairs that stay on or below the line of
 * the ramp rate; towards zero there is no ramp, so a reduction is never held back.
 */
export class Ramp {
  readonly rateKWPerMin: number;
  readonly #stepKW: number;
  readonly #stepMs: number;
  #told: { readonly powerKW: number; readonly atMs: number } | undefined;

  /** @param rateKWPerMin > 0 */
  constructor(rateKWPerMin: number) {
    this.rateKWPerMin = rateKWPerMin;
    this.#stepKW = Math.max(STEP_KW, (rateKWPerMin * STEP_MS) / 60_000);
    this.#stepMs = (this.#stepKW / rateKWPerMin) * 60_000;
  }

  /** True while a device holds what it was told, so that the ramp goes on from there and not from the meter. */
  get isTold(): boolean {
    return this.#told !== undefined;
  }

  /** A device accepted a power. @param nowMs elapsed ms */
  told(powerKW: number, nowMs: number): void {
    this.#told = { powerKW, atMs: nowMs };
  }

  /** The device is given back to itself: what it does from now on only its meter knows. */
  forget(): void {
    this.#told = undefined;
  }

  /**
   * What the ramp allows now.
   * @param presentKW measured power, which counts while the device was told nothing; absent counts as 0
   * @param leastKW least magnitude at which the device runs: the step from nothing to there can't be cut up
   * @param nowMs elapsed ms
   */
  limit(presentKW: number | undefined, leastKW: number, nowMs: number): Limit {
    const fromKW = this.#told?.powerKW ?? presentKW ?? 0;
    const growKW = this.#told !== undefined && nowMs - this.#told.atMs >= this.#stepMs ? this.#stepKW : 0;
    const consumingKW = Math.max(Math.max(0, -fromKW) + growKW, leastKW);
    const generatingKW = Math.max(Math.max(0, fromKW) + growKW, leastKW);
    return { source: "ramp", minPowerKW: -consumingKW, maxPowerKW: generatingKW };
  }
}
