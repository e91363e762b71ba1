import type { Clock } from "../../src/clock.ts";

/** Counts down from the last write of a control; the control goes back when it ran out. */
export class ReversionTimer {
  readonly #clock: Clock;
  #endsAtMs: number | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Starts from the beginning; 0 seconds stops it, since SunSpec takes 0 for "never". */
  restart(seconds: number): void {
    this.#endsAtMs = seconds > 0 ? this.#clock.elapsedMs() + seconds * 1000 : undefined;
  }

  /** Whole seconds left, rounded up; 0 when it does not run. */
  remainingS(): number {
    if (this.#endsAtMs === undefined) return 0;
    return Math.max(0, Math.ceil((this.#endsAtMs - this.#clock.elapsedMs()) / 1000));
  }

  /** True once, the first time it is asked after the end. */
  ranOut(): boolean {
    if (this.#endsAtMs === undefined || this.#clock.elapsedMs() < this.#endsAtMs) return false;
    this.#endsAtMs = undefined;
    return true;
  }
}
