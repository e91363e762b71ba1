/** Writes go before reads, and what is read often before what is read seldom. */
export type Priority = "write" | "fast" | "slow";

const ORDER: readonly Priority[] = ["write", "fast", "slow"];
/** How often others may go before one that waits at its class's head. */
const PATIENCE = 8;

export interface Queued {
  readonly priority: Priority;
}

/**
 * Requests that wait for a bus: by priority, within one in the order of asking. Nobody starves: who was passed over eight
 * times goes next. A request may not be ready yet; then it lets others pass without losing its place.
 */
export class RequestQueue<T extends Queued> {
  readonly #waiting: Readonly<Record<Priority, T[]>> = { write: [], fast: [], slow: [] };
  readonly #passedOver: Record<Priority, number> = { write: 0, fast: 0, slow: 0 };
  #size = 0;

  get size(): number {
    return this.#size;
  }

  push(request: T): void {
    this.#waiting[request.priority].push(request);
    this.#size += 1;
  }

  /** Takes all of them out, in no particular order. */
  clear(): readonly T[] {
    this.#size = 0;
    return ORDER.flatMap((priority) => this.#waiting[priority].splice(0));
  }

  /** Removes and returns the next one that is ready. */
  take(isReady: (request: T) => boolean): T | undefined {
    let chosen: { priority: Priority; index: number } | undefined;
    for (const priority of ORDER) {
      const index = this.#firstReady(priority, isReady);
      if (index < 0) continue;
      const isOwed = this.#passedOver[priority] >= PATIENCE;
      if (chosen === undefined || isOwed) chosen = { priority, index };
    }
    if (chosen === undefined) return undefined;
    const [request] = this.#waiting[chosen.priority].splice(chosen.index, 1);
    this.#size -= 1;
    for (const priority of ORDER) {
      const isPassed = ORDER.indexOf(priority) > ORDER.indexOf(chosen.priority) && this.#waiting[priority].length > 0;
      if (priority === chosen.priority) this.#passedOver[priority] = 0;
      else if (isPassed) this.#passedOver[priority] += 1;
    }
    return request;
  }

  /** The least of a number that each waiting request has; nothing if none waits. */
  least(of: (request: T) => number): number | undefined {
    let least: number | undefined;
    for (const priority of ORDER) {
      for (const request of this.#waiting[priority]) {
        const value = of(request);
        if (least === undefined || value < least) least = value;
      }
    }
    return least;
  }

  #firstReady(priority: Priority, isReady: (request: T) => boolean): number {
    const waiting = this.#waiting[priority];
    // The usual case, without a function call for each.
    const [head] = waiting;
    if (head === undefined) return -1;
    return isReady(head) ? 0 : waiting.findIndex(isReady);
  }
}
