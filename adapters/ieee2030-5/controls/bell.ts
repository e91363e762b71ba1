import type { Clock } from "../../../src/clock.ts";

/** Tells those who wait that something has changed, so that they look again. */
export class Bell {
  readonly #waiting = new Set<() => void>();

  ring(): void {
    for (const wake of [...this.#waiting]) wake();
  }

  /** Resolves at the next ring, or after `ms`; rejects with the signal's reason when it aborts. */
  async wait(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const timer = new AbortController();
    const onAbort = () => timer.abort(signal.reason);
    signal.addEventListener("abort", onAbort, { once: true });
    let wake = () => {};
    const rung = new Promise<void>((resolve) => {
      wake = resolve;
      this.#waiting.add(wake);
    });
    try {
      await Promise.race([rung, clock.sleep(ms, timer.signal)]);
    } finally {
      this.#waiting.delete(wake);
      signal.removeEventListener("abort", onAbort);
      timer.abort();
    }
  }
}
