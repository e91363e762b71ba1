/** Tokens that a charger may save up: so many times its messages a second. Offline queues and base reports come in bursts. */
const BURST_S = 10;

/** Letters of a frame that cost one more token: a megabyte takes as much work as a hundred short frames. */
const LETTERS_PER_TOKEN = 8192;

/** Sums of times are off by less than this. */
const ROUNDING_MS = 1e-3;

/** How fast one charger may send: a token bucket over messages and their size. */
export class InboundPace {
  readonly #perS: number;
  /** Elapsed ms at which the bucket is full again; it says how much is in it now. */
  #fullAtMs: number;

  constructor(perS: number, nowMs: number) {
    this.#perS = perS;
    this.#fullAtMs = nowMs;
  }

  /**
   * Takes what a frame costs.
   * @returns elapsed ms until there is enough for it; 0 where it may be handled now
   */
  waitMs(letters: number, nowMs: number): number {
    // A frame that costs more than a full bucket would never come through.
    const cost = Math.min(this.#perS * BURST_S, 1 + Math.floor(letters / LETTERS_PER_TOKEN));
    const fullAtMs = Math.max(this.#fullAtMs, nowMs) + (cost * 1000) / this.#perS;
    const waitMs = fullAtMs - nowMs - BURST_S * 1000;
    if (waitMs > ROUNDING_MS) return waitMs;
    this.#fullAtMs = fullAtMs;
    return 0;
  }
}
