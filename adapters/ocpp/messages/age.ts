/** An older message than this was written while the charger was offline, or by a clock that is wrong. */
const RECENT_MS = 60_000;

export function isPast(writtenAtMs: number | undefined, nowMs: number): boolean {
  return writtenAtMs !== undefined && nowMs - writtenAtMs > RECENT_MS;
}
