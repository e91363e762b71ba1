/**
 * Who set a bound. The order is the order of authority, strongest first. `operator` is the one who configured this site,
 * `backend` another system that the device obeys too, such as a charge point operator's.
 */
export const LIMIT_SOURCES = [
  "nameplate",
  "fuse",
  "grid-node",
  "utility-server",
  "operator",
  "backend",
  "failsafe",
  "availability",
  "ramp",
] as const;

export type LimitSource = (typeof LIMIT_SOURCES)[number];

/** A bound on a resource's power, kW, export positive. An absent side is no bound, which is not 0. */
export interface Limit {
  readonly source: LimitSource;
  /** Consumption may not go below this (for example −7.4). */
  readonly minPowerKW?: number;
  /** Generation may not go above this. */
  readonly maxPowerKW?: number;
}

/** The result of clamping: the power that is left, and the limit that bound it, if one did. */
export interface Clamped {
  readonly powerKW: number;
  readonly boundBy?: Limit;
}

/**
 * Clamps a power by the tightest of all limits. If two sides cross (a limit that forbids what another demands), the one
 * nearer to zero wins, since doing nothing is the safe side.
 */
export function clampByLimits(powerKW: number, limits: readonly Limit[]): Clamped {
  const floor = tightest(limits, "minPowerKW", (a, b) => a > b);
  const ceiling = tightest(limits, "maxPowerKW", (a, b) => a < b);
  if (floor !== undefined && ceiling !== undefined && floor.value > ceiling.value) {
    const nearer = Math.abs(floor.value) < Math.abs(ceiling.value) ? floor : ceiling;
    return { powerKW: nearer.value, boundBy: nearer.limit };
  }
  if (floor !== undefined && powerKW < floor.value) return { powerKW: floor.value, boundBy: floor.limit };
  if (ceiling !== undefined && powerKW > ceiling.value) return { powerKW: ceiling.value, boundBy: ceiling.limit };
  return { powerKW };
}

function tightest(
  limits: readonly Limit[],
  side: "minPowerKW" | "maxPowerKW",
  isTighter: (a: number, b: number) => boolean,
): { value: number; limit: Limit } | undefined {
  let best: { value: number; limit: Limit } | undefined;
  for (const limit of limits) {
    const value = limit[side];
    if (value !== undefined && (best === undefined || isTighter(value, best.value))) best = { value, limit };
  }
  return best;
}
