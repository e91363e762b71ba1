import type { Clock } from "./clock.ts";
import type { BaselineConfig } from "./config/bidding-schema.ts";
import { type BaselineMethod, baseline } from "./flexibility/baseline.ts";
import { deliveredPercent, deliveredReduction } from "./flexibility/delivered.ts";
import { type DayPlace, MeteredDays } from "./flexibility/metered-days.ts";
import { reductionSetpoints } from "./flexibility/reduction.ts";
import type { Log } from "./log.ts";
import type { ReductionToSetpoint } from "./market/placement.ts";
import type { IntervalBody } from "./meter/log-record.ts";
import type { Era } from "./model/resource.ts";
import type { Setpoint } from "./model/setpoint.ts";
import { wallTimeAt } from "./ocpi/local-time.ts";

/** Reductions that are looked after at the same time, and of past ones how many are still shown. */
const MAX_EVENTS = 500;
const DAY_MS = 86_400_000;
/** What a meter has not said by then is a gap: the market takes reports for five minutes after an order's end. */
const LATE_MS = 240_000;

/** What a meter would have shown and what it showed in one interval, kW, export positive. */
export interface PerformedInterval {
  readonly startMs: number;
  readonly endMs: number;
  readonly baselineKW: number;
  /** Absent: not metered. */
  readonly usageKW?: number;
}

/** What became of an ordered reduction, by the meters. */
export interface ReductionReport {
  readonly setpointId: string;
  readonly era: Era;
  /** How the baseline came about: `5of10`, the five highest of ten days. */
  readonly methodology: string;
  readonly committedKW: number;
  /** Mean over the time of the order, kW; positive: less consumption. */
  readonly deliveredKW: number;
  /** Of what was ordered; absent where nothing was. */
  readonly deliveredPercent?: number;
  readonly meters: readonly { readonly era: Era; readonly intervals: readonly PerformedInterval[] }[];
}

interface Event {
  readonly era: Era;
  readonly reductionKW: number;
  /** What goes to the market's resource for it. */
  readonly powerKW: number;
  readonly fromMs: number;
  readonly untilMs: number;
  /** Of each meter for each interval, kW. */
  readonly baselines: ReadonlyMap<Era, readonly number[]>;
  setpointId?: string;
}

export interface SiteFlexibilityOptions {
  readonly baseline: BaselineConfig;
  /** Length of a metered interval, ms. */
  readonly intervalMs: number;
  readonly groups: ReadonlyMap<Era, readonly Era[]>;
  /** What a device can do, kW; absent while it has not said so. */
  readonly capability: (era: Era) => { readonly minPowerKW: number; readonly maxPowerKW: number } | undefined;
  readonly clock: Clock;
  readonly log: Log;
  /** The meters have said what an order for a reduction brought. */
  readonly onReport: (report: ReductionReport) => void;
}

/**
 * Reductions against a baseline: from what the site's own meters counted on earlier days to the power that a device has to
 * hold, and afterwards to what was really delivered.
 *
 * The baseline is the one known when the order comes. What was metered on the day by then corrects it; an order that comes
 * before those hours is not corrected.
 */
export class SiteFlexibility {
  readonly #options: SiteFlexibilityOptions;
  readonly #method: BaselineMethod;
  readonly #days: MeteredDays;
  #events: Event[] = [];
  readonly #reports: ReductionReport[] = [];

  constructor(options: SiteFlexibilityOptions) {
    const { baseline: config, intervalMs } = options;
    this.#options = options;
    const { lookAt, pick, lookBackDays, minDays, adjustmentCap, adjustment, buffer } = config;
    this.#method = {
      ...{ lookAt, pick, lookBackDays, minDays, adjustmentCap },
      adjustmentIntervals: Math.round(adjustment / intervalMs),
      bufferIntervals: Math.round(buffer / intervalMs),
    };
    this.#days = new MeteredDays({ intervalMs, keptDays: lookBackDays + 1, placeOf: (ms) => this.#placeOf(ms) });
  }

  /** Takes an interval of the meter log. */
  interval({ era, start, end, quality, importWh, exportWh, setpointId }: IntervalBody): void {
    const isGap = quality === "GAP" || (importWh === undefined && exportWh === undefined);
    this.#days.add({
      era,
      startMs: Date.parse(start),
      endMs: Date.parse(end),
      isOrdered: setpointId !== undefined,
      ...(!isGap && { energyKWh: ((exportWh ?? 0) - (importWh ?? 0)) / 1000 }),
    });
    this.#closeEvents();
  }

  /** What a resource has to hold so that it consumes that much less than on days like this one. */
  readonly toSetpoint: ReductionToSetpoint = (era, reductionKW, { fromMs, untilMs }) => {
    const members = this.#options.groups.get(era) ?? [era];
    const baselines = new Map<Era, readonly number[]>();
    for (const member of members) {
      const known = this.#baselineOf(member, fromMs, untilMs);
      if ("fault" in known) return { fault: members.length > 1 ? `${member}: ${known.fault}` : known.fault };
      baselines.set(member, known.powerKW);
    }
    const means = [...baselines].map(([member, powers]) => ({ era: member, baselineKW: mean(powers) }));
    const powerKW = reductionKW >= 0 ? this.#reduced(means, reductionKW) : this.#raised(means, reductionKW);
    this.#events = [...this.#events, { era, reductionKW, powerKW, fromMs, untilMs, baselines }].slice(-MAX_EVENTS);
    return { powerKW };
  };

  /** Setpoints that were taken: those that follow from a reduction are looked after until the meters have spoken. */
  taken(setpoints: readonly Setpoint[]): void {
    for (const { id, era, validFromMs, validUntilMs, powerKW } of setpoints) {
      const event = this.#events.findLast(
        (one) =>
          one.setpointId === undefined &&
          one.era === era &&
          one.fromMs === validFromMs &&
          one.untilMs === validUntilMs &&
          one.powerKW === powerKW,
      );
      if (event === undefined) continue;
      event.setpointId = id;
      // A newer order for the same time takes the place of the one before.
      this.#events = this.#events.filter((one) => one === event || !isSameTime(one, event));
    }
  }

  /** An order was taken back: what it would have brought is nobody's concern. */
  withdraw(setpointIds: readonly string[]): void {
    this.#events = this.#events.filter(
      ({ setpointId }) => setpointId === undefined || !setpointIds.includes(setpointId),
    );
  }

  /** Of past reductions, newest first. */
  reports(): readonly ReductionReport[] {
    return this.#reports.toReversed();
  }

  #reduced(means: readonly { era: Era; baselineKW: number }[], reductionKW: number): number {
    const split = reductionSetpoints(
      reductionKW,
      means.map((one) => ({ ...one, highestKW: Math.max(0, this.#options.capability(one.era)?.maxPowerKW ?? 0) })),
    );
    return sum(split.setpoints.map((one) => one.powerKW));
  }

  #raised(means: readonly { era: Era; baselineKW: number }[], reductionKW: number): number {
    const lowestKW = sum(means.map(({ era }) => this.#options.capability(era)?.minPowerKW ?? 0));
    return Math.max(lowestKW, sum(means.map((one) => one.baselineKW)) + reductionKW);
  }

  #baselineOf(
    era: Era,
    fromMs: number,
    untilMs: number,
  ): { readonly powerKW: readonly number[] } | { readonly fault: string } {
    const { intervalMs } = this.#options;
    const { day, ofDayMs } = this.#placeOf(fromMs);
    const from = Math.floor(ofDayMs / intervalMs);
    const count = Math.max(1, Math.ceil((untilMs - fromMs) / intervalMs));
    if (count * intervalMs > DAY_MS) return { fault: "a reduction may last a day at most" };
    const { adjustmentIntervals, bufferIntervals } = this.#method;
    const lookedAt = { from: Math.max(0, from - adjustmentIntervals - bufferIntervals), to: from + count };
    const { history, today } = this.#days.around(era, day, lookedAt);
    const found = baseline(history, today, { from, count }, this.#method);
    if (found !== undefined) return found;
    return { fault: `fewer than ${this.#method.minDays} earlier days like this one are metered in these hours` };
  }

  #closeEvents(): void {
    const nowMs = this.#options.clock.now();
    const open: Event[] = [];
    for (const event of this.#events) {
      const report = nowMs < event.untilMs ? undefined : this.#reportOf(event);
      const isWhole = report?.meters.every(({ intervals }) => intervals.every(({ usageKW }) => usageKW !== undefined));
      const isLate = nowMs >= event.untilMs + LATE_MS;
      if (report === undefined || !(isWhole || isLate)) open.push(event);
      else if (event.setpointId !== undefined) this.#tell(report);
    }
    this.#events = open;
  }

  #reportOf({ setpointId = "", era, reductionKW, fromMs, baselines }: Event): ReductionReport {
    const { intervalMs, baseline: config } = this.#options;
    const meters = [...baselines].map(([member, powers]) => ({
      era: member,
      intervals: powers.map((baselineKW, index): PerformedInterval => {
        const startMs = fromMs + index * intervalMs;
        const usageKW = this.#days.meanKW(member, startMs);
        return { startMs, endMs: startMs + intervalMs, baselineKW, ...(usageKW !== undefined && { usageKW }) };
      }),
    }));
    const count = meters[0]?.intervals.length ?? 0;
    const { deliveredKW } = deliveredReduction(
      meters.map((meter) => ({
        meterId: meter.era,
        baselineKW: meter.intervals.map((one) => one.baselineKW),
        usageKW: meter.intervals.map((one) => one.usageKW),
      })),
      count,
      { clampAtZero: config.clampAtZero },
    );
    const delivered = mean(deliveredKW);
    const percent = deliveredPercent(delivered, reductionKW);
    return {
      methodology: `${this.#method.pick}of${this.#method.lookAt}`,
      ...{ setpointId, era, committedKW: reductionKW, deliveredKW: delivered, meters },
      ...(percent !== undefined && { deliveredPercent: percent }),
    };
  }

  #tell(report: ReductionReport): void {
    const { era, setpointId, committedKW, deliveredKW } = report;
    this.#options.log.info("reduction delivered", { era, setpoint: setpointId, committedKW, deliveredKW });
    this.#reports.push(report);
    if (this.#reports.length > MAX_EVENTS) this.#reports.shift();
    this.#options.onReport(report);
  }

  #placeOf(ms: number): DayPlace {
    const { timeZone, holidays } = this.#options.baseline;
    const { date, minuteOfDay, weekday } = wallTimeAt(ms, timeZone);
    const isWeekend = weekday === 0 || weekday === 6;
    return {
      day: Math.floor(Date.parse(date) / DAY_MS),
      ofDayMs: minuteOfDay * 60_000 + (ms % 60_000),
      dayType: holidays.includes(date) ? "HOLIDAY" : isWeekend ? "WEEKEND" : "WEEKDAY",
    };
  }
}

function isSameTime(a: Event, b: Event): boolean {
  return a.era === b.era && a.fromMs === b.fromMs && a.untilMs === b.untilMs;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function mean(values: readonly number[]): number {
  return values.length === 0 ? 0 : sum(values) / values.length;
}
