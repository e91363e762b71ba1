/** Most transactions that are remembered. */
const LIMIT = 10_000;

/**
 * The newest message of each transaction, by the market's own time. Messages overtake each other on the way; an order
 * that was written earlier must not undo one that was written later.
 */
export class NewestSeen {
  readonly #timestampMs = new Map<string, number>();

  /** True when a message with a later timestamp was seen in this thread of messages. */
  isOutdated(thread: string, timestampMs: number): boolean {
    return timestampMs < (this.#timestampMs.get(thread) ?? Number.NEGATIVE_INFINITY);
  }

  saw(thread: string, timestampMs: number): void {
    const newest = Math.max(timestampMs, this.#timestampMs.get(thread) ?? timestampMs);
    this.#timestampMs.delete(thread);
    this.#timestampMs.set(thread, newest);
    for (const oldest of this.#timestampMs.keys()) {
      if (this.#timestampMs.size <= LIMIT) break;
      this.#timestampMs.delete(oldest);
    }
  }
}
