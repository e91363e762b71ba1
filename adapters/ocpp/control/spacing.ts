import type { Clock } from "../../../src/clock.ts";

/** Longest pause after a charger said that it is told too much too fast. */
const MAX_SLOWED_MS = 60_000;

/**
 * Keeps commands to one connector apart. Only an increase waits: a reduction goes at once. Who waits is broken off by a newer
 * order, so that the newest is what goes out.
 */
export class Spacing {
  readonly #clock: Clock;
  readonly #leastMs: number;
  #sentAtMs = Number.NEGATIVE_INFINITY;
  #slowedMs = 0;

  constructor(clock: Clock, leastMs: number) {
    this.#clock = clock;
    this.#leastMs = leastMs;
  }

  /** Time until a command may go out, ms; 0 where it may go now. */
  waitMs(isIncrease: boolean): number {
    if (!isIncrease) return 0;
    return Math.max(0, this.#sentAtMs + Math.max(this.#leastMs, this.#slowedMs) - this.#clock.elapsedMs());
  }

  /** A command went out, and the charger took it. */
  sent(): void {
    this.#sentAtMs = this.#clock.elapsedMs();
  }

  /** The charger said that it is told too much too fast: waits, longer each time. */
  async slowDown(signal: AbortSignal): Promise<void> {
    this.#slowedMs = Math.min(MAX_SLOWED_MS, Math.max(1000, this.#leastMs, this.#slowedMs * 2));
    await this.#clock.sleep(this.#slowedMs, signal);
  }
}
