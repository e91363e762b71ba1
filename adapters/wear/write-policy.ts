/** How often a register or a resource may be written: what its maker says of its memory. */
export interface WritePolicy {
  /**
   * `ok`: the maker says that it may be written all day, since it is not kept in flash. `no`: each write wears it out.
   * `unknown`: nobody says.
   */
  readonly cyclic: "ok" | "no" | "unknown";
  /** Writes of one of them in one day (UTC); unless given, by `cyclic`. */
  readonly maxPerDay?: number | undefined;
  /** Least time between two writes, seconds. */
  readonly minIntervalS?: number | undefined;
  /** Change of the value, in its own unit, below which nothing is written; for who asks before writing. */
  readonly deadband?: number | undefined;
}

/**
 * Flash is commonly good for 100,000 writes: 24 a day are eleven years. Where nobody says, a reversion timer of a minute
 * may still be armed anew every 20 s (4,320 a day), and a loop that went wild is stopped on its first day.
 */
const PER_DAY: Readonly<Record<WritePolicy["cyclic"], number>> = {
  ok: Number.POSITIVE_INFINITY,
  unknown: 5_000,
  no: 24,
};

/** Writes of one place in one day, whole and at least 0; infinite where nothing bounds them. */
export function mostPerDay(policy: WritePolicy): number {
  return Math.max(0, Math.floor(policy.maxPerDay ?? PER_DAY[policy.cyclic]));
}

/**
 * The share of a day's writes that orders leave alone, so that the device can still be given back to itself: taking a
 * command off writes a place up to twice.
 */
export function keptForRelease(most: number): number {
  if (!Number.isFinite(most)) return 0;
  return Math.min(Math.max(2, Math.ceil(most / 10)), Math.max(0, most - 1));
}
