import type { Clock } from "../../../src/clock.ts";
import { LazyMap } from "../lazy-map.ts";
import type { JsonRecord } from "../link/json.ts";
import type { ChargerEvent } from "../messages/events.ts";

type ReportEvent = Extract<ChargerEvent, { kind: "report" }>;

/** Rows kept of one report; what is beyond is dropped. A large station's full inventory has some thousands. */
const MAX_ROWS = 5_000;

/** A report whose next part does not come in this time is taken as it is. */
const QUIET_MS = 10_000;

interface Open {
  readonly rows: JsonRecord[];
  isOver: boolean;
  /** Ends the wait for the next part. */
  wake: AbortController;
}

/** Puts the parts of a station's reports together, by the number under which each was asked for (2.x). */
export class ReportDesk {
  readonly #clock: Clock;
  readonly #open = new LazyMap<number, Open>();
  #lastId = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** A number for a report that is to be asked for. Its parts are kept from now on, until `collect` has ended. */
  begin(): number {
    this.#lastId += 1;
    this.#open.set(this.#lastId, { rows: [], isOver: false, wake: new AbortController() });
    return this.#lastId;
  }

  /** The station will not report. */
  forget(requestId: number): void {
    this.#open.delete(requestId);
  }

  /** A part came; one that nobody asked for is nothing to us. */
  take({ requestId, rows, more }: ReportEvent): void {
    const report = this.#open.get(requestId);
    if (report === undefined) return;
    report.rows.push(...rows.slice(0, Math.max(0, MAX_ROWS - report.rows.length)));
    if (!more) report.isOver = true;
    report.wake.abort("a part came");
  }

  /** All rows, when the last part has come or no more comes. @throws the signal's reason when it aborts */
  async collect(requestId: number, signal: AbortSignal): Promise<readonly JsonRecord[]> {
    const report = this.#open.get(requestId);
    if (report === undefined) return [];
    try {
      while (!report.isOver && report.rows.length < MAX_ROWS) {
        const before = report.rows.length;
        await this.#clock.sleep(QUIET_MS, AbortSignal.any([signal, report.wake.signal])).catch(() => {});
        signal.throwIfAborted();
        if (!report.wake.signal.aborted && report.rows.length === before) break;
        report.wake = new AbortController();
      }
      return report.rows;
    } finally {
      this.#open.delete(requestId);
    }
  }
}
