const ISO = /^(\d{4}-\d{2}-\d{2})[Tt ](\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?)\s*(Z|z|[+-]\d{2}(?::?\d{2})?)?$/;

/** A charger that was never told the time says 1970 or 2000; that is no time at all. */
const EARLIEST_PLAUSIBLE_MS = Date.UTC(2020, 0, 1);

const ZERO = 0x30;

/** Days of each month of a year that is no leap year, and the days before it. */
const DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] as const;
const DAYS_BEFORE = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334] as const;
const DAYS_TO_2000 = 10_957;

/** `YYYY-MM-DDTHH:MM:SS`, where fractions or the zone begin. */
const TO_SECONDS = 19;

/**
 * Epoch ms of `2026-11-23T14:00:00Z` or `2026-11-23T14:00:00.123Z`, the two forms in which nearly every time comes, from
 * 2000 to 2099; absent for any other form, which may be a time all the same. A tenth of what `Date.parse` takes.
 */
export function canonicalMs(text: string): number | undefined {
  const hasMs = text.length === 24 && text[TO_SECONDS] === ".";
  if (!hasMs && text.length !== 20) return undefined;
  if (text[4] !== "-" || text[7] !== "-" || text[10] !== "T" || text[13] !== ":" || text[16] !== ":") return undefined;
  if (text[text.length - 1] !== "Z" || digits(text, 0, 2) !== 20) return undefined;
  const year = digits(text, 2, 4);
  const month = digits(text, 5, 7);
  const day = digits(text, 8, 10);
  const hour = digits(text, 11, 13);
  const minute = digits(text, 14, 16);
  const second = digits(text, 17, 19);
  const ms = hasMs ? digits(text, 20, 23) : 0;
  // What is no digit, no day of that month or the one that leap years add is for `Date` to judge.
  if (year < 0 || day < 1 || day > (DAYS[month - 1] ?? 0)) return undefined;
  if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 59 || ms < 0) return undefined;
  // All years of this century that 4 divides are leap years.
  const leapDays = Math.ceil(year / 4) + (year % 4 === 0 && month > 2 ? 1 : 0);
  const days = DAYS_TO_2000 + year * 365 + leapDays + (DAYS_BEFORE[month - 1] ?? 0) + day - 1;
  return (((days * 24 + hour) * 60 + minute) * 60 + second) * 1000 + ms;
}

/** The number that some digits are; below 0 where one of them is no digit. */
function digits(text: string, from: number, to: number): number {
  let value = 0;
  for (let index = from; index < to; index++) {
    const digit = text.charCodeAt(index) - ZERO;
    if (digit < 0 || digit > 9) return -1;
    value = value * 10 + digit;
  }
  return value;
}

/**
 * Epoch ms of a timestamp off the wire; absent where it cannot be read or cannot be true. Without a zone it is UTC, as
 * OCPP asks for and as chargers that leave it out mean it.
 */
export function parseTimestamp(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const canonical = canonicalMs(text);
  if (canonical !== undefined) return canonical >= EARLIEST_PLAUSIBLE_MS ? canonical : undefined;
  const parts = ISO.exec(text.trim());
  if (parts === null) return undefined;
  const zone = parts[3] === undefined ? "Z" : parts[3].toUpperCase();
  const timeMs = Date.parse(`${parts[1]}T${parts[2]}${/^[+-]\d{2}$/.test(zone) ? `${zone}:00` : zone}`);
  return Number.isFinite(timeMs) && timeMs >= EARLIEST_PLAUSIBLE_MS ? timeMs : undefined;
}

/** Whole seconds, UTC: some chargers cannot read fractions. */
export function timestampFrom(timeMs: number): string {
  return `${new Date(timeMs).toISOString().slice(0, 19)}Z`;
}
