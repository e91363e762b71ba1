/** A power as the dialect of 2026 has it: a magnitude, and its direction in the name of its type. */
export interface Flow {
  readonly type: "USAGE" | "INJECTION";
  /** kW, ≥ 0. */
  readonly value: number;
}

/** A power (kW, export positive) as a magnitude whose direction is in its name; the only place where it turns. */
export function flowOf(powerKW: number): Flow {
  return powerKW > 0 ? { type: "INJECTION", value: powerKW } : { type: "USAGE", value: 0 - powerKW };
}
