import type { Report } from "./adapter.ts";

/** Reports that may wait. */
const MAX_WAITING = 1000;

/**
 * Reports on their way from a device to its one reader. Bounded: when the reader is slow the oldest reading is dropped
 * and counted, since the newest is what control needs; link, availability and capability reports are kept.
 */
export class ReportQueue {
  /** Absent while nothing waits. */
  #waiting: Report[] | undefined;
  #reader: QueueReader | undefined;
  #dropped = 0;

  /** Readings that were dropped so far. */
  get dropped(): number {
    return this.#dropped;
  }

  push(report: Report): void {
    // Mostly the reader waits, and then nothing has to be kept.
    if (this.#waiting === undefined && this.#reader?.offer(report)) return;
    this.#waiting ??= [];
    if (this.#waiting.length >= MAX_WAITING) {
      const oldestReading = this.#waiting.findIndex((waiting) => waiting.kind === "reading");
      this.#waiting.splice(Math.max(oldestReading, 0), 1);
      this.#dropped += 1;
    }
    this.#waiting.push(report);
    this.#reader?.handleEvent();
  }

  /** Yields reports as they come until `signal` aborts. */
  read(signal: AbortSignal): AsyncIterable<Report> {
    return { [Symbol.asyncIterator]: () => new QueueReader(this, signal) };
  }

  /** The oldest report; nothing where none waits. */
  take(): Report | undefined {
    const report = this.#waiting?.shift();
    // An array that was in use keeps its room, and there is one for each device.
    if (this.#waiting?.length === 0) this.#waiting = undefined;
    return report;
  }

  /** Told of the next report; takes the place of the reader before. */
  readBy(reader: QueueReader | undefined): void {
    this.#reader = reader;
  }
}

const END: IteratorReturnResult<undefined> = { done: true, value: undefined };

/**
 * Written out and no generator: there is one for each device, which waits at every reading. It listens to the signal once
 * and not at every wait.
 */
class QueueReader implements AsyncIterator<Report> {
  readonly #queue: ReportQueue;
  readonly #signal: AbortSignal;
  #resolve: ((result: IteratorResult<Report>) => void) | undefined;

  constructor(queue: ReportQueue, signal: AbortSignal) {
    this.#queue = queue;
    this.#signal = signal;
    signal.addEventListener("abort", this, { once: true });
    queue.readBy(this);
  }

  next(): Promise<IteratorResult<Report>> {
    const ready = this.#take();
    if (ready !== undefined) return Promise.resolve(ready);
    return new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  return(): Promise<IteratorResult<Report>> {
    this.#signal.removeEventListener("abort", this);
    this.#queue.readBy(undefined);
    return Promise.resolve(END);
  }

  /** @returns true if it was waited for */
  offer(report: Report): boolean {
    const resolve = this.#resolve;
    if (resolve === undefined || this.#signal.aborted) return false;
    this.#resolve = undefined;
    resolve({ done: false, value: report });
    return true;
  }

  /** Something came, or the signal aborted. */
  handleEvent(): void {
    const resolve = this.#resolve;
    if (resolve === undefined) return;
    const ready = this.#take();
    if (ready === undefined) return;
    this.#resolve = undefined;
    resolve(ready);
  }

  #take(): IteratorResult<Report> | undefined {
    if (this.#signal.aborted) return END;
    const value = this.#queue.take();
    return value === undefined ? undefined : { done: false, value };
  }
}
