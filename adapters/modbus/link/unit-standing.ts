import { backoffMs } from "../../../src/clock.ts";

const FIRST_REST_MS = 250;
const LONGEST_REST_MS = 30_000;

/**
 * How one unit has been doing. One that is silent, or away behind its gateway, is left alone for a while that doubles each
 * time, so that it costs the others on the same bus little; they are none the worse for it.
 */
export class UnitStanding {
  #failures = 0;
  #restsUntilMs = Number.NEGATIVE_INFINITY;
  #why = "";
  #returns = 0;

  /** Elapsed ms before which it is not asked. */
  get restsUntilMs(): number {
    return this.#restsUntilMs;
  }

  /** Why it rests, for a person. */
  get why(): string {
    return this.#why;
  }

  /** How often it came back after it had been away; it may have restarted meanwhile. */
  get returns(): number {
    return this.#returns;
  }

  /** @returns true if it had been away */
  answered(): boolean {
    if (this.#failures === 0) return false;
    this.#failures = 0;
    this.#restsUntilMs = Number.NEGATIVE_INFINITY;
    this.#returns += 1;
    return true;
  }

  /** @returns true if it was well before */
  failed(why: string, nowMs: number, random: () => number): boolean {
    this.#why = why;
    this.#restsUntilMs = nowMs + backoffMs(this.#failures, FIRST_REST_MS, LONGEST_REST_MS, random);
    this.#failures += 1;
    return this.#failures === 1;
  }
}
