import type { Clock } from "../../src/clock.ts";
import type { Rng } from "./rng.ts";

/** Share of a panel's rating that the sky gives, 0 to 1: a daily arc with slow clouds. Deterministic for a seed. */
export class Sun {
  readonly #clock: Clock;
  readonly #waves: readonly { periodMs: number; phase: number; depth: number }[];
  readonly #startHour: number;
  readonly #speed: number;
  readonly #startMs: number;

  /** @param options.startHour hour of the day at the start; `speed` model hours per clock hour */
  constructor(clock: Clock, rng: Rng, options: { startHour?: number; speed?: number } = {}) {
    this.#clock = clock;
    this.#startMs = clock.elapsedMs();
    this.#startHour = options.startHour ?? 12;
    this.#speed = options.speed ?? 1;
    this.#waves = [40_000, 90_000, 210_000].map((periodMs) => ({
      periodMs: periodMs * rng.between(0.8, 1.2),
      phase: rng.between(0, 2 * Math.PI),
      depth: rng.between(0.02, 0.07),
    }));
  }

  /** 0 to 1. */
  share(): number {
    const sinceMs = this.#clock.elapsedMs() - this.#startMs;
    const hour = (this.#startHour + (sinceMs / 3_600_000) * this.#speed) % 24;
    const arc = Math.max(0, Math.sin((Math.PI * (hour - 6)) / 12));
    let cloud = 0;
    for (const wave of this.#waves) {
      cloud += wave.depth * (1 + Math.sin((2 * Math.PI * sinceMs) / wave.periodMs + wave.phase));
    }
    return Math.max(0, arc * (1 - cloud));
  }
}
