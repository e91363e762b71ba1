/** Tokens that a charger may save up: so many times its messages a second. Offline queues and base reports come in bursts. */
const BURST_S = 10;

/** Letters of a frame that cost one more token: a megabyte takes as much work as a hundred short frames. */
const LETTERS_PER_TOKEN = 8192;

/** How fast one charger may send: a token bucket over messages and their size. */
export class InboundPace {
  readonly #perS: number;
  #tokens: number;
  #atMs: number;

  constructor(perS: number, nowMs: number) {
    this.#perS = perS;
    this.#tokens = perS * BURST_S;
    this.#atMs = nowMs;
  }

  /**
   * Takes what a frame costs.
   * @returns elapsed ms until there is enough for it; 0 where it may be handled now
   */
  waitMs(letters: number, nowMs: number): number {
    const full = this.#perS * BURST_S;
    this.#tokens = Math.min(full, this.#tokens + ((nowMs - this.#atMs) * this.#perS) / 1000);
    this.#atMs = nowMs;
    // A frame that costs more than a full bucket would never come through.
    const cost = Math.min(full, 1 + Math.floor(letters / LETTERS_PER_TOKEN));
    if (this.#tokens < cost) return ((cost - this.#tokens) * 1000) / this.#perS;
    this.#tokens -= cost;
    return 0;
  }
}
