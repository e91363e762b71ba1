const ISO = /^(\d{4}-\d{2}-\d{2})[Tt ](\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?)\s*(Z|z|[+-]\d{2}(?::?\d{2})?)?$/;

/** A charger that was never told the time says 1970 or 2000; that is no time at all. */
const EARLIEST_PLAUSIBLE_MS = Date.UTC(2020, 0, 1);

/**
 * Epoch ms of a timestamp off the wire; absent where it cannot be read or cannot be true. Without a zone it is UTC, as
 * OCPP asks for and as chargers that leave it out mean it.
 */
export function parseTimestamp(text: string | undefined): number | undefined {
  const parts = ISO.exec(text?.trim() ?? "");
  if (parts === null) return undefined;
  const zone = parts[3] === undefined ? "Z" : parts[3].toUpperCase();
  const timeMs = Date.parse(`${parts[1]}T${parts[2]}${/^[+-]\d{2}$/.test(zone) ? `${zone}:00` : zone}`);
  return Number.isFinite(timeMs) && timeMs >= EARLIEST_PLAUSIBLE_MS ? timeMs : undefined;
}

/** Whole seconds, UTC: some chargers cannot read fractions. */
export function timestampFrom(timeMs: number): string {
  return `${new Date(timeMs).toISOString().slice(0, 19)}Z`;
}
