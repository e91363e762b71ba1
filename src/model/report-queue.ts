import type { Report } from "./adapter.ts";

/**
 * Reports on their way from a device to its one reader. Bounded: when the reader is slow the oldest reading is dropped
 * and counted, since the newest is what control needs; link, availability and capability reports are kept.
 */
export class ReportQueue {
  readonly #limit: number;
  #waiting: Report[] = [];
  #wake: (() => void) | undefined;
  #dropped = 0;

  constructor(limit = 1000) {
    this.#limit = limit;
  }

  /** Readings that were dropped so far. */
  get dropped(): number {
    return this.#dropped;
  }

  push(report: Report): void {
    if (this.#waiting.length >= this.#limit) {
      const oldestReading = this.#waiting.findIndex((waiting) => waiting.kind === "reading");
      this.#waiting.splice(Math.max(oldestReading, 0), 1);
      this.#dropped += 1;
    }
    this.#waiting.push(report);
    this.#wake?.();
  }

  /** Yields reports as they come until `signal` aborts. */
  async *read(signal: AbortSignal): AsyncGenerator<Report> {
    while (!signal.aborted) {
      const batch = this.#waiting;
      this.#waiting = [];
      yield* batch;
      if (this.#waiting.length > 0 || signal.aborted) continue;
      await new Promise<void>((resolve) => {
        const wake = () => {
          signal.removeEventListener("abort", wake);
          this.#wake = undefined;
          resolve();
        };
        this.#wake = wake;
        signal.addEventListener("abort", wake, { once: true });
      });
    }
  }
}
