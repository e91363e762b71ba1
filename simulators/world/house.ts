import type { Clock } from "../../src/clock.ts";
import type { Rng } from "./rng.ts";

/** Load of a house that nobody controls: a base, a slow wave and appliances that switch. kW, never positive. */
export class House {
  readonly #clock: Clock;
  readonly #startMs: number;
  readonly #baseKW: number;
  readonly #appliances: readonly { periodMs: number; onShare: number; offsetMs: number; loadKW: number }[];

  constructor(clock: Clock, rng: Rng, options: { baseKW?: number } = {}) {
    this.#clock = clock;
    this.#startMs = clock.elapsedMs();
    this.#baseKW = options.baseKW ?? 0.8;
    this.#appliances = [0.3, 1.2, 2.0].map((loadKW) => ({
      loadKW,
      periodMs: rng.between(20_000, 70_000),
      onShare: rng.between(0.2, 0.6),
      offsetMs: rng.between(0, 70_000),
    }));
  }

  powerKW(): number {
    const sinceMs = this.#clock.elapsedMs() - this.#startMs;
    let loadKW = this.#baseKW;
    for (const appliance of this.#appliances) {
      const place = ((sinceMs + appliance.offsetMs) % appliance.periodMs) / appliance.periodMs;
      if (place < appliance.onShare) loadKW += appliance.loadKW;
    }
    return -loadKW;
  }
}
