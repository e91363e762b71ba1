const DATE_TIME = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?Z?$/;

/**
 * Epoch ms of an OCPI DateTime: always UTC, with or without `Z`, a fraction of a second allowed, an offset not, and
 * `+00:00` least of all (OCPI types, DateTime). Digits beyond the millisecond are cut.
 * @returns undefined if it is no such time
 */
export function msFromOcpiTime(text: string): number | undefined {
  const match = DATE_TIME.exec(text);
  if (match === null || text.length > 25) return undefined;
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map(Number) as number[] as Sextet;
  const ms = Number((match[7] ?? "").padEnd(3, "0").slice(0, 3));
  const instant = Date.UTC(year, month - 1, day, hour, minute, second, ms);
  // Date.UTC carries 31 February over into March; what was written must come back.
  return new Date(instant).toISOString().startsWith(text.slice(0, 19)) ? instant : undefined;
}

type Sextet = [number, number, number, number, number, number];

/** An OCPI DateTime of an instant, with a fraction only where there is one; at most 24 of the 25 letters allowed. */
export function ocpiTimeFromMs(ms: number): string {
  return new Date(ms).toISOString().replace(".000Z", "Z");
}
