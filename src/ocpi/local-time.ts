/** Local wall time of a place, from the time zone data that Node carries. */

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** What a clock on the wall shows at an instant. */
export interface WallTime {
  /** `2026-03-29` */
  readonly date: string;
  readonly minuteOfDay: number;
  /** 0 is Sunday. */
  readonly weekday: number;
}

/** @param timeZone an IANA name, for example `Europe/Oslo` @throws RangeError if there is no such zone */
export function wallTimeAt(instantMs: number, timeZone: string): WallTime {
  const wall = new Date(instantMs + zoneOffsetMs(instantMs, timeZone));
  return {
    date: wall.toISOString().slice(0, 10),
    minuteOfDay: wall.getUTCHours() * 60 + wall.getUTCMinutes(),
    weekday: wall.getUTCDay(),
  };
}

/** Ms by which the wall clock is ahead of UTC. */
function zoneOffsetMs(instantMs: number, timeZone: string): number {
  const whole = Math.floor(instantMs / 1000) * 1000;
  const part: Record<string, number> = {};
  for (const { type, value } of formatOf(timeZone).formatToParts(whole)) part[type] = Number(value);
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = part as WallParts;
  return Date.UTC(year, month - 1, day, hour, minute, second) - whole;
}

type WallParts = Partial<Record<"year" | "month" | "day" | "hour" | "minute" | "second", number>>;

/** Formats are dear to make; a site knows few zones. */
const formats = new Map<string, Intl.DateTimeFormat>();
const MAX_FORMATS = 64;

function formatOf(timeZone: string): Intl.DateTimeFormat {
  let format = formats.get(timeZone);
  if (format === undefined) {
    format = new Intl.DateTimeFormat("en-GB", {
      timeZone,
      calendar: "gregory",
      hourCycle: "h23",
      year: "numeric",
      month: "numeric",
      day: "numeric",
      hour: "numeric",
      minute: "numeric",
      second: "numeric",
    });
    if (formats.size >= MAX_FORMATS) formats.clear();
    formats.set(timeZone, format);
  }
  return format;
}

/**
 * First and last instant (exclusive) of a local day; 23 or 25 hours long where the clocks change.
 * @param date `2026-03-29`
 * @throws RangeError for a date or zone that does not exist
 */
export function localDay(date: string, timeZone: string): { readonly startMs: number; readonly endMs: number } {
  const utcMs = Date.parse(`${date}T00:00:00Z`);
  if (!/^\d{4}-\d\d-\d\d$/.test(date) || Number.isNaN(utcMs) || new Date(utcMs).toISOString().slice(0, 10) !== date) {
    throw new RangeError(`"${date}" is not a date such as 2026-03-29`);
  }
  const next = new Date(utcMs + DAY_MS).toISOString().slice(0, 10);
  return { startMs: startOfDay(utcMs, date, timeZone), endMs: startOfDay(utcMs + DAY_MS, next, timeZone) };
}

/** The instant at which the wall first shows the date: midnight, or later where the clocks skip it. */
function startOfDay(utcMs: number, date: string, timeZone: string): number {
  // No zone is further than 14 h from UTC.
  let before = utcMs - 15 * HOUR_MS;
  let after = utcMs + 15 * HOUR_MS;
  while (after - before > 1000) {
    const middle = Math.floor((before + after) / 2000) * 1000;
    if (wallTimeAt(middle, timeZone).date < date) before = middle;
    else after = middle;
  }
  return after;
}

/**
 * Instants in `[fromMs, toMs)` at which the wall shows one of the times of day, and those at which the clocks change:
 * between two of them nothing that depends on local time can change.
 * @param minutesOfDay times of day in minutes
 */
export function wallTimeEdges(
  fromMs: number,
  toMs: number,
  timeZone: string,
  minutesOfDay: ReadonlySet<number>,
): number[] {
  const edges: number[] = [];
  for (const { startMs, endMs, offsetMs } of steadySpans(fromMs, toMs, timeZone)) {
    edges.push(startMs);
    const firstDay = Math.floor((startMs + offsetMs) / DAY_MS) * DAY_MS;
    for (let day = firstDay; day <= endMs + offsetMs; day += DAY_MS) {
      for (const minute of minutesOfDay) {
        const instant = day + minute * 60_000 - offsetMs;
        if (instant > startMs && instant < endMs) edges.push(instant);
      }
    }
  }
  return edges.sort((a, b) => a - b);
}

interface SteadySpan {
  readonly startMs: number;
  readonly endMs: number;
  readonly offsetMs: number;
}

/** Stretches of time during which the clocks do not change. */
function steadySpans(fromMs: number, toMs: number, timeZone: string): SteadySpan[] {
  const spans: SteadySpan[] = [];
  let startMs = fromMs;
  let offsetMs = zoneOffsetMs(fromMs, timeZone);
  // Clocks never change twice within 3 hours.
  for (let probe = fromMs; probe < toMs; probe += 3 * HOUR_MS) {
    const end = Math.min(probe + 3 * HOUR_MS, toMs);
    if (zoneOffsetMs(end, timeZone) === offsetMs) continue;
    let before = probe;
    let after = end;
    while (after - before > 1) {
      const middle = Math.floor((before + after) / 2);
      if (zoneOffsetMs(middle, timeZone) === offsetMs) before = middle;
      else after = middle;
    }
    if (after >= toMs) break;
    spans.push({ startMs, endMs: after, offsetMs });
    startMs = after;
    offsetMs = zoneOffsetMs(after, timeZone);
  }
  spans.push({ startMs, endMs: toMs, offsetMs });
  return spans;
}
