/** Mean power of one interval as it was metered, kW, export positive; absent where the meter has a gap. */
export type MeteredDay = readonly (number | undefined)[];

/** One day of a meter, cut into intervals of the same length. */
export interface DayRecord {
  /** Any order that rises with the date, for example days since 1970. */
  readonly day: number;
  /** Days are only compared with days of their kind: `WEEKDAY`, `WEEKEND`, `HOLIDAY`, or what the programme calls them. */
  readonly dayType: string;
  /** An event, an outage or a price signal made this day unlike others; it is no example. */
  readonly excluded?: boolean;
  readonly powerKW: MeteredDay;
}

/** Which days make a baseline, and how the day itself corrects it. */
export interface BaselineMethod {
  /** Eligible days of the same type that are looked at, newest first. */
  readonly lookAt: number;
  /** How many of them count: those with the highest consumption in the event's intervals, or all. */
  readonly pick: number;
  /** Days before the event that may be looked at at all. */
  readonly lookBackDays: number;
  /** With fewer eligible days there is no baseline. */
  readonly minDays: number;
  /** Largest correction by the day itself, as a share of the baseline; 0 for none. */
  readonly adjustmentCap: number;
  /** Intervals before the event whose consumption corrects the baseline. */
  readonly adjustmentIntervals: number;
  /** Intervals between those and the event that don't count: people prepare for an event. */
  readonly bufferIntervals: number;
}

/**
 * Ten of ten with a same-day adjustment of 20 %, by hours: the method of CAISO's demand response baseline (proxy demand
 * resource), which AEMO's wholesale demand response follows. Four hours before the event, the last of them a buffer.
 */
export const TEN_OF_TEN_HOURLY: BaselineMethod = {
  lookAt: 10,
  pick: 10,
  lookBackDays: 45,
  minDays: 5,
  adjustmentCap: 0.2,
  adjustmentIntervals: 3,
  bufferIntervals: 1,
};

/** The five of the last ten days with the highest use, as in several retail programmes; otherwise as ten of ten. */
export const HIGHEST_FIVE_OF_TEN_HOURLY: BaselineMethod = { ...TEN_OF_TEN_HOURLY, pick: 5 };

/** What would have been without the event, and how it came about. */
export interface Baseline {
  /** Mean power of each interval of the event, kW, export positive. */
  readonly powerKW: readonly number[];
  /** Days that count, newest first. */
  readonly days: readonly number[];
  /** What the day itself did to it: a factor, or where the baseline is no consumption, kW that were added. */
  readonly adjustment: { readonly factor: number } | { readonly addedKW: number };
}

/**
 * The baseline of one meter for an event (N of M days with a same-day adjustment).
 *
 * The adjustment is the ratio of what the meter showed on the day to what the same intervals showed on the chosen days,
 * held to `[1 − cap, 1 + cap]`. Where the chosen days do not consume there (panels), a ratio turns or explodes; then the
 * difference is added instead, held to `cap` times the mean of the magnitudes.
 *
 * @param history earlier days; the order does not matter
 * @param eventDay the day of the event, with what was metered before it began
 * @param from index of the event's first interval
 * @param count intervals of the event, ≥ 1
 * @returns nothing if there are fewer than `minDays` eligible days with all of their intervals metered
 * @throws RangeError for a method that contradicts itself
 */
export function baseline(
  history: readonly DayRecord[],
  eventDay: DayRecord,
  event: { readonly from: number; readonly count: number },
  method: BaselineMethod,
): Baseline | undefined {
  checkMethod(method, event);
  const adjustFrom = event.from - method.bufferIntervals - method.adjustmentIntervals;
  const adjusts = method.adjustmentCap > 0 && method.adjustmentIntervals > 0 && adjustFrom >= 0;
  const adjustCount = adjusts ? method.adjustmentIntervals : 0;

  const eligible = history
    .filter(
      (one) =>
        one.dayType === eventDay.dayType &&
        one.excluded !== true &&
        one.day < eventDay.day &&
        one.day >= eventDay.day - method.lookBackDays &&
        isMetered(one.powerKW, event.from, event.count) &&
        isMetered(one.powerKW, adjustFrom, adjustCount),
    )
    .sort((a, b) => b.day - a.day)
    .slice(0, method.lookAt);
  if (eligible.length < method.minDays) return undefined;

  // The highest consumption is the lowest power; of days that are alike the newer counts.
  const chosen = [...eligible]
    .sort(
      (a, b) =>
        meanKW(a.powerKW, event.from, event.count) - meanKW(b.powerKW, event.from, event.count) || b.day - a.day,
    )
    .slice(0, method.pick)
    .sort((a, b) => b.day - a.day);
  const raw = Array.from({ length: event.count }, (_, index) => mean(chosen, event.from + index));

  const unadjusted = { powerKW: raw, days: chosen.map((one) => one.day), adjustment: { factor: 1 } };
  if (!adjusts || !isMetered(eventDay.powerKW, adjustFrom, adjustCount)) return unadjusted;
  const usualKW = chosen.reduce((sum, one) => sum + meanKW(one.powerKW, adjustFrom, adjustCount), 0) / chosen.length;
  const todayKW = meanKW(eventDay.powerKW, adjustFrom, adjustCount);
  if (usualKW < 0 && raw.every((powerKW) => powerKW <= 0)) {
    const factor = clamp(todayKW / usualKW, 1 - method.adjustmentCap, 1 + method.adjustmentCap);
    return { ...unadjusted, powerKW: raw.map((powerKW) => powerKW * factor), adjustment: { factor } };
  }
  const mostKW = method.adjustmentCap * (raw.reduce((sum, powerKW) => sum + Math.abs(powerKW), 0) / raw.length);
  const addedKW = clamp(todayKW - usualKW, -mostKW, mostKW);
  return { ...unadjusted, powerKW: raw.map((powerKW) => powerKW + addedKW), adjustment: { addedKW } };
}

function checkMethod(method: BaselineMethod, event: { readonly from: number; readonly count: number }): void {
  const { lookAt, pick, minDays, adjustmentCap, adjustmentIntervals, bufferIntervals, lookBackDays } = method;
  const counts = { lookAt, pick, minDays, lookBackDays, adjustmentIntervals, bufferIntervals, ...event };
  for (const [name, value] of Object.entries(counts)) {
    if (!Number.isInteger(value) || value < 0) throw new RangeError(`${name} must be a whole number ≥ 0, got ${value}`);
  }
  if (event.count < 1) throw new RangeError("an event has at least one interval");
  if (pick < 1 || pick > lookAt) throw new RangeError(`pick must be 1 to lookAt (${lookAt}), got ${pick}`);
  if (minDays < 1 || minDays > lookAt) throw new RangeError(`minDays must be 1 to lookAt (${lookAt}), got ${minDays}`);
  if (!(adjustmentCap >= 0 && adjustmentCap <= 1)) {
    throw new RangeError(`adjustmentCap must be 0 to 1, got ${adjustmentCap}`);
  }
}

function isMetered(powerKW: MeteredDay, from: number, count: number): boolean {
  for (let index = from; index < from + count; index++) if (powerKW[index] === undefined) return false;
  return true;
}

function meanKW(powerKW: MeteredDay, from: number, count: number): number {
  let sum = 0;
  for (let index = from; index < from + count; index++) sum += powerKW[index] ?? 0;
  return sum / count;
}

function mean(days: readonly DayRecord[], index: number): number {
  // Adding zero makes −0 a plain 0.
  return days.reduce((sum, one) => sum + (one.powerKW[index] ?? 0), 0) / days.length + 0;
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(Math.max(value, low), high);
}
