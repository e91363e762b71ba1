import type { Clock } from "../clock.ts";
import type { Log } from "../log.ts";
import type { Reading } from "../model/reading.ts";
import type { Era } from "../model/resource.ts";
import type { Setpoint } from "../model/setpoint.ts";
import { scaledFromNumber, shortDecimal } from "../settlement/decimal.ts";
import {
  type IntervalEnergy,
  IntervalMeter,
  type RegisterPoint,
  type RegisterSample,
} from "../settlement/interval-energy.ts";
import { PRICE_DIGITS } from "../settlement/money.ts";
import { LateReadings } from "./late-readings.ts";
import type { IntervalBody } from "./log-record.ts";
import { SetpointTimeline } from "./setpoint-timeline.ts";

/** Intervals that may wait for a disk that fails; the oldest go first beyond it, and leave a hole in the log. */
const MAX_WAITING = 2_000;

/** What the recorder needs of an interval log. */
export interface IntervalSink {
  lastOf(era: Era): RegisterPoint | undefined;
  append(bodies: readonly IntervalBody[]): Promise<void>;
}

export interface IntervalRecorderOptions {
  readonly sink: IntervalSink;
  readonly clock: Clock;
  readonly log: Log;
  /** Length of a market interval, ms; intervals begin at whole multiples of it since 1970 (UTC). */
  readonly intervalMs: number;
  /** Longest time between two readings, ms, in which the edge of an interval may be interpolated; at most an interval. */
  readonly maxInterpolationMs: number;
}

/**
 * Readings and setpoints in, signed intervals out: energy by the meter's registers, cut at each market interval and wherever
 * a setpoint begins or ends, so that none has two prices. A device without an energy register gives no interval.
 */
export class IntervalRecorder {
  readonly #options: IntervalRecorderOptions;
  readonly #meters = new Map<Era, IntervalMeter>();
  readonly #setpoints: SetpointTimeline;
  readonly #late: LateReadings;
  #waiting: IntervalBody[] = [];
  #lost = 0;
  #writing: Promise<void> | undefined;

  /** @throws RangeError if an interval has no length, or readings further apart than one may be interpolated */
  constructor(options: IntervalRecorderOptions) {
    const { intervalMs, maxInterpolationMs } = options;
    if (!(intervalMs >= 1000)) throw new RangeError(`intervalMs must be at least 1000, got ${intervalMs}`);
    if (!(maxInterpolationMs >= 0 && maxInterpolationMs <= intervalMs)) {
      throw new RangeError(
        `maxInterpolationMs must be between 0 and the interval, ${intervalMs}, got ${maxInterpolationMs}`,
      );
    }
    this.#options = options;
    this.#setpoints = new SetpointTimeline(intervalMs);
    this.#late = new LateReadings(maxInterpolationMs, (era, fromMs, untilMs) => {
      if (untilMs - fromMs <= maxInterpolationMs) return false;
      return this.#setpoints.edgesBetween(era, fromMs, untilMs).some((edgeMs) => edgeMs > fromMs && edgeMs < untilMs);
    });
  }

  /** Intervals that were lost because the disk failed for too long. */
  get lost(): number {
    return this.#lost;
  }

  /** Takes a setpoint that was committed; a newer one takes over from an older where they meet. */
  setpoint(setpoint: Setpoint): void {
    this.#setpoints.add(setpoint);
  }

  /** A setpoint ends now, before its time: its order was cancelled. */
  withdraw(setpointIds: readonly string[]): void {
    this.#setpoints.withdraw(new Set(setpointIds), this.#options.clock.now());
  }

  /** Ends an interval at a time, so that none is in two sessions of a charger; returns where it could be cut. */
  cut(era: Era, atMs: number): number {
    return this.#setpoints.cut(era, atMs);
  }

  /** Ends a resource's interval at its last reading and resolves when it is written: nothing more is expected for now. */
  async flush(era: Era): Promise<void> {
    this.#write((this.#meters.get(era)?.finish() ?? []).map((energy) => this.#bodyOf(era, energy)));
    await this.#writing;
  }

  /** Takes a reading; what it completes is written in the background. */
  reading(reading: Reading): void {
    const sample = this.#sampleOf(reading);
    if (sample === undefined) return;
    const { era, replayed = false } = reading;
    // Before the first reading: the meter tells where the log of before a restart ended.
    this.#meterOf(era);
    const due = this.#late.take(era, sample, this.#options.clock.elapsedMs(), replayed);
    this.#write(this.#count(era, due));
  }

  #count(era: Era, samples: readonly RegisterSample[]): IntervalBody[] {
    return samples.flatMap((sample) => {
      const bodies = this.#meterOf(era)
        .add(sample)
        .map((energy) => this.#bodyOf(era, energy));
      this.#setpoints.passed(era, sample.atMs);
      return bodies;
    });
  }

  /** Ends all intervals at their last readings and waits until they are written, for example when the gateway stops. */
  async finish(): Promise<void> {
    for (const [era, samples] of this.#late.takeAll()) this.#write(this.#count(era, samples));
    this.#write([...this.#meters].flatMap(([era, meter]) => meter.finish().map((energy) => this.#bodyOf(era, energy))));
    await this.#writing;
  }

  #meterOf(era: Era): IntervalMeter {
    const known = this.#meters.get(era);
    if (known !== undefined) return known;
    const { maxInterpolationMs, sink } = this.#options;
    const last = sink.lastOf(era);
    const meter = new IntervalMeter(
      era,
      { maxInterpolationMs, edgesBetween: (of, fromMs, untilMs) => this.#setpoints.edgesBetween(of, fromMs, untilMs) },
      last,
    );
    if (last !== undefined) this.#late.resume(era, last.atMs);
    this.#meters.set(era, meter);
    return meter;
  }

  /** The registers of a reading at the time of their measurement; nothing if it has none. */
  #sampleOf(reading: Reading): RegisterSample | undefined {
    const { importKWh, exportKWh, deviceTimeMs, receivedAtMs, replayed } = reading;
    if (importKWh === undefined && exportKWh === undefined) return undefined;
    const registers = {
      ...(importKWh !== undefined && { importWh: Math.round(importKWh * 1000) }),
      ...(exportKWh !== undefined && { exportWh: Math.round(exportKWh * 1000) }),
    };
    if (Object.values(registers).some((energyWh) => !Number.isSafeInteger(energyWh) || energyWh < 0)) return undefined;
    const ownMs = deviceTimeMs ?? receivedAtMs;
    if (replayed) return ownMs <= receivedAtMs ? { atMs: ownMs, ...registers } : undefined;
    // A device whose clock is wrong would put its energy under another interval's price.
    const isTrusted = Math.abs(ownMs - receivedAtMs) <= this.#options.maxInterpolationMs;
    return { atMs: Math.round(isTrusted ? ownMs : receivedAtMs), ...registers };
  }

  #bodyOf(era: Era, energy: IntervalEnergy): IntervalBody {
    const { startMs, endMs, importWh, exportWh, quality, reason, end } = energy;
    const setpoint = quality === "GAP" ? undefined : this.#setpoints.holdingAt(era, startMs);
    return {
      kind: "interval",
      era,
      start: new Date(startMs).toISOString(),
      end: new Date(endMs).toISOString(),
      quality,
      ...(importWh !== undefined && { importWh }),
      ...(exportWh !== undefined && { exportWh }),
      ...(end.importWh !== undefined && { importRegisterWh: end.importWh }),
      ...(end.exportWh !== undefined && { exportRegisterWh: end.exportWh }),
      ...(reason !== undefined && { reason }),
      ...(setpoint && tradeOf(setpoint)),
    };
  }

  #write(bodies: readonly IntervalBody[]): void {
    this.#waiting.push(...bodies);
    if (this.#waiting.length > MAX_WAITING)
      this.#lost += this.#waiting.splice(0, this.#waiting.length - MAX_WAITING).length;
    if (this.#waiting.length === 0) return;
    this.#writing ??= this.#flush();
  }

  async #flush(): Promise<void> {
    while (this.#waiting.length > 0) {
      const batch = this.#waiting;
      this.#waiting = [];
      try {
        await this.#append(batch);
      } catch (error) {
        // Kept, and tried again with the next interval.
        this.#waiting = [...batch, ...this.#waiting];
        this.#complain(batch.length, error);
        break;
      }
    }
    // In the same turn as the last look, so that nothing is left lying.
    this.#writing = undefined;
  }

  /** What the log refuses for good is lost alone, and holds up nothing else. */
  async #append(batch: readonly IntervalBody[]): Promise<void> {
    try {
      await this.#options.sink.append(batch);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      if (batch.length > 1) {
        for (const body of batch) await this.#append([body]);
        return;
      }
      this.#lost += 1;
      this.#complain(1, error);
    }
  }

  #complain(intervals: number, error: unknown): void {
    const reason = error instanceof Error ? error.message : String(error);
    this.#options.log.error("metered intervals could not be written", { intervals, reason });
  }
}

/** What was ordered and at which price, in the whole numbers and texts of the log. */
function tradeOf({ id, powerKW, source, clearingPrice }: Setpoint): Partial<IntervalBody> {
  return {
    setpointId: id.slice(0, 256),
    setpointW: Math.round(powerKW * 1000),
    ...(source.orderId !== undefined && { orderId: source.orderId.slice(0, 256) }),
    ...(clearingPrice && { pricePerKWh: priceText(clearingPrice.pricePerKWh), currency: clearingPrice.currency }),
    ...(clearingPrice?.adderPerKWh !== undefined && { adderPerKWh: priceText(clearingPrice.adderPerKWh) }),
  };
}

/** A price as it is settled: millionths of a currency unit. */
function priceText(pricePerKWh: number): string {
  return shortDecimal(scaledFromNumber(pricePerKWh, PRICE_DIGITS, "pricePerKWh"), PRICE_DIGITS);
}
