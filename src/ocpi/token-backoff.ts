import type { Clock } from "../clock.ts";

/** Wrong tokens from one address that are answered as any other. */
const FREE_ATTEMPTS = 10;
const FIRST_WAIT_MS = 1000;
const LONGEST_WAIT_MS = 60_000;
/** Addresses that are remembered; the one that failed longest ago is forgotten first. */
const MAX_ADDRESSES = 1000;

interface Failures {
  readonly count: number;
  /** Elapsed time until which wrong tokens are not answered with 401 any more. */
  readonly untilMs: number;
}

/**
 * Slows down who tries tokens: after ten wrong ones the waits double up to a minute. A right token is never held up,
 * since behind a proxy all peers have one address.
 */
export class TokenBackoff {
  readonly #clock: Clock;
  readonly #failures = new Map<string, Failures>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * Notes a wrong token.
   * @returns seconds to wait if the address has to, else undefined
   */
  failed(address: string): number | undefined {
    const nowMs = this.#clock.elapsedMs();
    const before = this.#failures.get(address);
    if (before !== undefined && before.untilMs > nowMs) return Math.ceil((before.untilMs - nowMs) / 1000);
    const count = (before?.count ?? 0) + 1;
    const waitMs = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** Math.max(0, Math.min(count - FREE_ATTEMPTS, 20)));
    this.#failures.delete(address);
    this.#failures.set(address, { count, untilMs: count >= FREE_ATTEMPTS ? nowMs + waitMs : 0 });
    const [oldest] = this.#failures.keys();
    if (this.#failures.size > MAX_ADDRESSES && oldest !== undefined) this.#failures.delete(oldest);
    return undefined;
  }

  succeeded(address: string): void {
    this.#failures.delete(address);
  }
}
