import type { Clock } from "../../../src/clock.ts";

export interface BackoffRules {
  /** Failures that cost nothing. */
  readonly free: number;
  readonly capMs: number;
}

const BASE_MS = 1000;

/** Without a failure for so long, the slate is clean. */
const FORGET_MS = 900_000;

const MAX_TRACKED = 1000;

interface Entry {
  failures: number;
  lastMs: number;
  untilMs: number;
}

/** Makes whoever fails wait, twice as long each time. Bounded; who failed longest ago is forgotten first. */
export class Backoff {
  readonly #clock: Clock;
  readonly #rules: BackoffRules;
  readonly #entries = new Map<string, Entry>();

  constructor(clock: Clock, rules: BackoffRules) {
    this.#clock = clock;
    this.#rules = rules;
  }

  /** Elapsed ms until another attempt is looked at; 0 where it is at once. */
  waitMs(who: string): number {
    const entry = this.#entries.get(who);
    return entry === undefined ? 0 : Math.max(0, entry.untilMs - this.#clock.elapsedMs());
  }

  /** @returns ms that it has to wait now */
  noteFailure(who: string): number {
    const nowMs = this.#clock.elapsedMs();
    const before = this.#entries.get(who);
    const failures = before === undefined || nowMs - before.lastMs > FORGET_MS ? 1 : before.failures + 1;
    const over = failures - this.#rules.free;
    const waitMs = over <= 0 ? 0 : Math.min(this.#rules.capMs, BASE_MS * 2 ** Math.min(over - 1, 30));
    this.#entries.delete(who);
    this.#entries.set(who, { failures, lastMs: nowMs, untilMs: nowMs + waitMs });
    const oldest = this.#entries.keys().next();
    if (this.#entries.size > MAX_TRACKED && !oldest.done) this.#entries.delete(oldest.value);
    return waitMs;
  }

  forget(who: string): void {
    this.#entries.delete(who);
  }
}
