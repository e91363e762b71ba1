export type RateUnit = "A" | "W";

/** `max` caps the whole station, `tx` belongs to one transaction, `tx-default` holds where no `tx` does. */
export type ProfilePurpose = "max" | "tx-default" | "tx";

export interface SchedulePeriod {
  /** From the start of the schedule. */
  readonly startMs: number;
  /** A per phase, or W over all phases; import, never negative. */
  readonly limit: number;
  /** Conductors that may carry current; absent means three. */
  readonly phases?: number;
}

/** A charging profile of any OCPP version, with its instants as epoch ms. */
export interface ChargingProfile {
  readonly id: number;
  /** Connector (1.6) or EVSE (2.0.1); 0 is the whole station. */
  readonly connectorId: number;
  readonly purpose: ProfilePurpose;
  readonly stackLevel: number;
  readonly kind: "Absolute" | "Recurring" | "Relative";
  /** Length of a day or a week, for `Recurring`. */
  readonly recurrenceMs?: number;
  readonly transactionId?: string;
  readonly validFromMs?: number;
  readonly validToMs?: number;
  readonly startScheduleMs?: number;
  readonly durationMs?: number;
  readonly unit: RateUnit;
  readonly periods: readonly SchedulePeriod[];
}

/** The moment for which a schedule is asked. */
export interface Moment {
  readonly nowMs: number;
  /** Start of the running transaction; absent without one. Relative schedules count from here. */
  readonly transactionStartMs?: number;
}

/** The period that holds at a moment, or nothing: the profile is not valid yet, has ended, or does not apply. */
export function periodAt(profile: ChargingProfile, moment: Moment): SchedulePeriod | undefined {
  const { nowMs } = moment;
  if (profile.validFromMs !== undefined && nowMs < profile.validFromMs) return undefined;
  if (profile.validToMs !== undefined && nowMs >= profile.validToMs) return undefined;
  const startMs = scheduleStartMs(profile, moment);
  if (startMs === undefined || nowMs < startMs) return undefined;
  const sinceMs = nowMs - startMs;
  if (profile.durationMs !== undefined && sinceMs >= profile.durationMs) return undefined;
  return profile.periods.findLast((period) => period.startMs <= sinceMs);
}

/** When the schedule that holds (or comes next) began; nothing for a relative one without a transaction. */
function scheduleStartMs(profile: ChargingProfile, moment: Moment): number | undefined {
  // A relative schedule stays relative to the start of the transaction, also when it comes later (2.0.1, part 2,
  // ChargingProfileKindEnumType).
  if (profile.kind === "Relative") return moment.transactionStartMs;
  const startMs = profile.startScheduleMs;
  if (startMs === undefined || profile.recurrenceMs === undefined || moment.nowMs < startMs) return startMs;
  return startMs + Math.floor((moment.nowMs - startMs) / profile.recurrenceMs) * profile.recurrenceMs;
}

/** True when no later moment can bring the profile back. */
export function hasEnded(profile: ChargingProfile, moment: Moment): boolean {
  if (profile.validToMs !== undefined && moment.nowMs >= profile.validToMs) return true;
  if (profile.kind !== "Absolute" || profile.durationMs === undefined) return false;
  return profile.startScheduleMs !== undefined && moment.nowMs >= profile.startScheduleMs + profile.durationMs;
}

/** Every instant between two others at which a profile may begin, change or end. */
export function changesBetween(profile: ChargingProfile, moment: Moment, untilMs: number): number[] {
  const instants: number[] = [];
  if (profile.validFromMs !== undefined) instants.push(profile.validFromMs);
  if (profile.validToMs !== undefined) instants.push(profile.validToMs);
  const startMs = scheduleStartMs(profile, moment);
  for (let nthStartMs = startMs; nthStartMs !== undefined && nthStartMs < untilMs; ) {
    for (const period of profile.periods) instants.push(nthStartMs + period.startMs);
    if (profile.durationMs !== undefined) instants.push(nthStartMs + profile.durationMs);
    nthStartMs = profile.recurrenceMs === undefined ? undefined : nthStartMs + profile.recurrenceMs;
  }
  return instants.filter((instantMs) => instantMs > moment.nowMs && instantMs < untilMs);
}
