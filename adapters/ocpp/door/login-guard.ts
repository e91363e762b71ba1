import type { Clock } from "../../../src/clock.ts";

const MAX_FAILURES = 10;
const WINDOW_MS = 60_000;
const MAX_TRACKED = 500;

/** Slows down whoever tries passwords: ten wrong ones in a minute, for one identity from one address, and no more is checked. */
export class LoginGuard {
  readonly #clock: Clock;
  readonly #failures = new Map<string, { count: number; sinceMs: number }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  isBlocked(address: string, identity: string): boolean {
    const entry = this.#current(address, identity);
    return entry !== undefined && entry.count >= MAX_FAILURES;
  }

  noteFailure(address: string, identity: string): void {
    const key = keyOf(address, identity);
    const entry = this.#current(address, identity) ?? { count: 0, sinceMs: this.#clock.elapsedMs() };
    entry.count += 1;
    this.#failures.delete(key);
    this.#failures.set(key, entry);
    const oldest = this.#failures.keys().next();
    if (this.#failures.size > MAX_TRACKED && !oldest.done) this.#failures.delete(oldest.value);
  }

  #current(address: string, identity: string) {
    const entry = this.#failures.get(keyOf(address, identity));
    return entry !== undefined && this.#clock.elapsedMs() - entry.sinceMs < WINDOW_MS ? entry : undefined;
  }
}

function keyOf(address: string, identity: string): string {
  return `${address} ${identity}`;
}
