import type { Clock } from "../../../src/clock.ts";

/**
 * The deadline of whatever is going on, one after the other. A timer for each of a thousand requests a second would cost
 * more than the requests; here one goes on sleeping and looks, when it wakes, what it is that has to end.
 */
export class Deadline {
  readonly #clock: Clock;
  #dueMs: number | undefined;
  #expire: () => void = () => {};
  #wakesAtMs = Number.POSITIVE_INFINITY;
  #sleeping: AbortController | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Calls `expire` once after `ms` of elapsed time, in place of what was set before. */
  set(ms: number, expire: () => void): void {
    this.#dueMs = this.#clock.elapsedMs() + ms;
    this.#expire = expire;
    if (this.#sleeping !== undefined && this.#wakesAtMs <= this.#dueMs) return;
    this.#sleeping?.abort();
    this.#sleepFor(ms);
  }

  clear(): void {
    this.#dueMs = undefined;
  }

  /** Leaves no timer behind. */
  close(): void {
    this.clear();
    this.#sleeping?.abort();
    this.#sleeping = undefined;
  }

  #sleepFor(ms: number): void {
    const sleeping = new AbortController();
    this.#sleeping = sleeping;
    this.#wakesAtMs = this.#clock.elapsedMs() + ms;
    this.#clock.sleep(ms, sleeping.signal).then(
      () => this.#woke(),
      () => {},
    );
  }

  #woke(): void {
    this.#sleeping = undefined;
    if (this.#dueMs === undefined) return;
    const leftMs = this.#dueMs - this.#clock.elapsedMs();
    if (leftMs > 0) {
      this.#sleepFor(leftMs);
      return;
    }
    this.#dueMs = undefined;
    this.#expire();
  }
}
