import type { Clock } from "../../src/clock.ts";

/**
 * The time by which the utility's events begin and end: the server's, as it said it last. Between two looks it goes on by
 * elapsed time, so that a jump of our own clock moves no event.
 */
export class ServerClock {
  readonly #clock: Clock;
  #said: { readonly serverMs: number; readonly elapsedMs: number } | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** @param askedAtMs elapsed ms at which the question left; half of the way counts */
  said(currentTimeS: number, askedAtMs: number): void {
    const elapsedMs = this.#clock.elapsedMs();
    // Whole seconds are said, so on the mean half a second has passed already.
    this.#said = { serverMs: currentTimeS * 1000 + 500 + (elapsedMs - askedAtMs) / 2, elapsedMs };
  }

  /** Server time, epoch ms; ours as long as it has said none. */
  now(): number {
    if (this.#said === undefined) return this.#clock.now();
    return this.#said.serverMs + this.#clock.elapsedMs() - this.#said.elapsedMs;
  }

  /** How far our wall clock is ahead of the server's, ms; absent while it has said none. */
  get offsetMs(): number | undefined {
    return this.#said === undefined ? undefined : this.#clock.now() - this.now();
  }
}
