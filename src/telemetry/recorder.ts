import type { Clock } from "../clock.ts";
import type { Log } from "../log.ts";
import type { Reading } from "../model/reading.ts";
import type { Era } from "../model/resource.ts";

/** Readings that may wait for the disk, over all devices; the oldest go first beyond it. */
const MAX_WAITING = 20_000;

/** Where readings are kept. */
export interface ReadingStore {
  storeReadings(readings: readonly Reading[]): Promise<void>;
}

/** What is counted of a device's readings since the start. */
export interface ReadingTally {
  readonly readings: number;
  /** Net energy taken in since the start by the device's own register, kWh; absent if it has no register. */
  readonly importedKWh?: number;
  readonly exportedKWh?: number;
}

/**
 * Collects readings and writes them in batches, so that a memory card is written to once in a while and not per sample.
 * A disk that fails loses telemetry, counted, and nothing else.
 */
export class Recorder {
  readonly #store: ReadingStore;
  readonly #log: Log;
  #waiting: Reading[] = [];
  #dropped = 0;
  readonly #tallies = new Map<Era, { readings: number; first: Reading; last: Reading }>();

  constructor(store: ReadingStore, log: Log) {
    this.#store = store;
    this.#log = log;
  }

  /** Readings that were lost because the disk did not keep up. */
  get dropped(): number {
    return this.#dropped;
  }

  add(reading: Reading): void {
    this.#waiting.push(reading);
    if (this.#waiting.length > MAX_WAITING) {
      this.#waiting.shift();
      this.#dropped += 1;
    }
    const tally = this.#tallies.get(reading.era);
    if (tally === undefined) this.#tallies.set(reading.era, { readings: 1, first: reading, last: reading });
    else {
      tally.readings += 1;
      if (!reading.replayed) tally.last = { ...tally.last, ...reading };
      // Registers may come later than the first reading; the first one seen is where counting starts.
      tally.first = { ...reading, ...tally.first };
    }
  }

  tally(era: Era): ReadingTally {
    const tally = this.#tallies.get(era);
    if (tally === undefined) return { readings: 0 };
    const { readings, first, last } = tally;
    return {
      readings,
      ...(first.importKWh !== undefined &&
        last.importKWh !== undefined && { importedKWh: last.importKWh - first.importKWh }),
      ...(first.exportKWh !== undefined &&
        last.exportKWh !== undefined && { exportedKWh: last.exportKWh - first.exportKWh }),
    };
  }

  /** Writes what waits every `ms` until `signal` aborts, and once more then. */
  async run(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await clock.sleep(ms, signal).catch(() => {});
      await this.#flush();
    }
  }

  async #flush(): Promise<void> {
    if (this.#waiting.length === 0) return;
    const batch = this.#waiting;
    this.#waiting = [];
    try {
      await this.#store.storeReadings(batch);
    } catch (error) {
      this.#dropped += batch.length;
      this.#log.error("telemetry could not be stored", { readings: batch.length, reason: String(error) });
    }
  }
}
