import type { Clock } from "../../src/clock.ts";

/** Commands on their way through the dead time; beyond this the newest replaces the last one that waits. */
const MAX_ON_THE_WAY = 64;

/**
 * A power that follows a command as hardware does: nothing for a dead time, then a first-order approach.
 * It is computed when asked, so it needs no timer and is exact on any clock.
 */
export class Lag {
  readonly #clock: Clock;
  readonly #deadMs: number;
  readonly #tauMs: number;
  /** Commands that the hardware has not noticed yet, oldest first. */
  readonly #onTheWay: { powerKW: number; atMs: number }[] = [];
  #powerKW: number;
  #targetKW: number;
  #latestKW: number;
  #knownAtMs: number;

  constructor(clock: Clock, options: { startKW: number; deadMs: number; tauMs: number }) {
    this.#clock = clock;
    this.#deadMs = options.deadMs;
    this.#tauMs = options.tauMs;
    this.#powerKW = options.startKW;
    this.#targetKW = options.startKW;
    this.#latestKW = options.startKW;
    this.#knownAtMs = clock.elapsedMs();
  }

  /** A new command; the power starts from where it is by then. The same command again changes nothing. */
  command(powerKW: number): void {
    if (powerKW === this.#latestKW) return;
    this.#advance();
    this.#latestKW = powerKW;
    if (this.#onTheWay.length >= MAX_ON_THE_WAY) this.#onTheWay.pop();
    this.#onTheWay.push({ powerKW, atMs: this.#clock.elapsedMs() + this.#deadMs });
  }

  /** Power now, kW. */
  powerKW(): number {
    this.#advance();
    return this.#powerKW;
  }

  #advance(): void {
    const nowMs = this.#clock.elapsedMs();
    for (;;) {
      const next = this.#onTheWay[0];
      if (next === undefined || next.atMs > nowMs) break;
      this.#approach(next.atMs);
      this.#targetKW = next.powerKW;
      this.#onTheWay.shift();
    }
    this.#approach(nowMs);
  }

  #approach(untilMs: number): void {
    const rest = (this.#powerKW - this.#targetKW) * Math.exp(-(untilMs - this.#knownAtMs) / this.#tauMs);
    this.#powerKW = Math.abs(rest) < 1e-3 ? this.#targetKW : this.#targetKW + rest;
    this.#knownAtMs = untilMs;
  }
}
