import { resolve } from "node:path";
import type { Clock } from "./clock.ts";
import type { Log } from "./log.ts";
import { IntervalLog } from "./meter/interval-log.ts";
import { IntervalRecorder, type IntervalSink } from "./meter/interval-recorder.ts";
import type { IntervalBody } from "./meter/log-record.ts";
import { loadOrCreateMeterKey } from "./meter/meter-key.ts";
import type { Reading } from "./model/reading.ts";
import type { Era } from "./model/resource.ts";
import type { Setpoint } from "./model/setpoint.ts";

/** Longest time between two readings in which the edge of an interval may be interpolated. */
const MAX_INTERPOLATION_MS = 120_000;
/** Length of a metered interval on a site without a market. */
const DEFAULT_INTERVAL_MS = 900_000;

export interface SiteMeterOptions {
  /** The gateway's data folder. */
  readonly data: string;
  /** Length of a market interval, ms, ≥ 1000. */
  readonly intervalMs: number | undefined;
  /** Intervals that the log has now. */
  readonly onIntervals?: ((bodies: readonly IntervalBody[]) => void) | undefined;
  readonly clock: Clock;
  readonly log: Log;
}

/** The signed interval log of a site: what each meter counted in each market interval, and at what price. */
export class SiteMeter implements AsyncDisposable {
  readonly #intervalLog: IntervalLog;
  readonly #recorder: IntervalRecorder;

  private constructor(intervalLog: IntervalLog, recorder: IntervalRecorder) {
    this.#intervalLog = intervalLog;
    this.#recorder = recorder;
  }

  /** @throws IntervalLogError if somebody changed the log, since to write on in such a file would cover it up */
  static async open({
    data,
    intervalMs = DEFAULT_INTERVAL_MS,
    onIntervals,
    clock,
    log,
  }: SiteMeterOptions): Promise<SiteMeter> {
    const privateKey = loadOrCreateMeterKey(resolve(data, "meter.key"));
    const intervalLog = await IntervalLog.open({ folder: resolve(data, "meter"), privateKey, clock });
    const maxInterpolationMs = Math.min(MAX_INTERPOLATION_MS, intervalMs);
    const sink: IntervalSink = {
      lastOf: (era) => intervalLog.lastOf(era),
      append: async (bodies) => {
        await intervalLog.append(bodies);
        onIntervals?.(bodies);
      },
    };
    const recorder = new IntervalRecorder({ sink, clock, log, intervalMs, maxInterpolationMs });
    return new SiteMeter(intervalLog, recorder);
  }

  reading(reading: Reading): void {
    this.#recorder.reading(reading);
  }

  /** Setpoints as they go to single devices; those of a group have been split. */
  setpoints(setpoints: readonly Setpoint[]): void {
    for (const setpoint of setpoints) this.#recorder.setpoint(setpoint);
  }

  withdraw(setpointIds: readonly string[]): void {
    this.#recorder.withdraw(setpointIds);
  }

  /** Ends an interval at a time; returns where it could be cut. */
  cut(era: Era, atMs: number): number {
    return this.#recorder.cut(era, atMs);
  }

  /** Ends a resource's interval at its last reading; resolves when it is written. */
  flush(era: Era): Promise<void> {
    return this.#recorder.flush(era);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#recorder.finish();
    await this.#intervalLog[Symbol.asyncDispose]();
  }
}
