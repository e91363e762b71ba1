/** RFC 3339 instant: an offset is required, since a time without one means another moment on each machine. */
const INSTANT =
  /^([1-9]\d{3})-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])[Tt]([01]\d|2[0-3]):([0-5]\d):([0-5]\d)(?:\.(\d{1,9}))?(?:[Zz]|([+-])([01]\d|2[0-3]):([0-5]\d))$/;

/**
 * Epoch ms of an RFC 3339 instant, or nothing if the text is not one (`2024-02-30T00:00:00Z` is not). A fraction is cut
 * to milliseconds.
 */
export function instantMsFromText(text: string): number | undefined {
  const match = INSTANT.exec(text);
  if (match === null) return undefined;
  const [, year, month, day, hour, minute, second, fraction, side, offsetHour, offsetMinute] = match;
  const dayMs = Date.UTC(Number(year), Number(month) - 1, Number(day));
  // Date turns February 30 into March 1; a day that is not in the calendar is a fault here.
  if (new Date(dayMs).getUTCDate() !== Number(day)) return undefined;
  const localMs =
    dayMs +
    Number(hour) * 3_600_000 +
    Number(minute) * 60_000 +
    Number(second) * 1000 +
    (fraction === undefined ? 0 : Math.floor(Number(`0.${fraction}`) * 1000 + 1e-6));
  if (side === undefined) return localMs;
  const offsetMs = Number(offsetHour) * 3_600_000 + Number(offsetMinute) * 60_000;
  return side === "+" ? localMs - offsetMs : localMs + offsetMs;
}

/** RFC 3339 in UTC with milliseconds. */
export function textFromInstantMs(instantMs: number): string {
  return new Date(instantMs).toISOString();
}

const DURATION =
  /^P(?=\d|T\d)(?:(\d{1,4})Y)?(?:(\d{1,6})M)?(?:(\d{1,6})W)?(?:(\d{1,6})D)?(?:T(?=\d)(?:(\d{1,7})H)?(?:(\d{1,9})M)?(?:(\d{1,9})(?:[.,](\d{1,9}))?S)?)?$/;

const DAY_MS = 86_400_000;

/**
 * Milliseconds of an ISO 8601 duration such as `PT30S`, `PT1H30M` or `P1D`, or nothing if the text is not one.
 * A month counts 30 days and a year 365: Beckn's own samples write `P1M` for a time to live.
 */
export function durationMsFromText(text: string): number | undefined {
  const match = DURATION.exec(text);
  if (match === null) return undefined;
  const [years, months, weeks, days, hours, minutes, seconds] = match.slice(1, 8).map((part) => Number(part ?? 0));
  const fraction = Number(`0.${match[8] ?? "0"}`);
  return (
    ((years ?? 0) * 365 + (months ?? 0) * 30 + (weeks ?? 0) * 7 + (days ?? 0)) * DAY_MS +
    (hours ?? 0) * 3_600_000 +
    (minutes ?? 0) * 60_000 +
    Math.round(((seconds ?? 0) + fraction) * 1000)
  );
}

/** ISO 8601 duration in whole seconds, rounded up, for example `PT30S`; not every reader takes a fraction. */
export function textFromDurationMs(durationMs: number): string {
  return `PT${Math.max(0, Math.ceil(durationMs / 1000))}S`;
}
