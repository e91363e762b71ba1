export type RateUnit = "A" | "W";

/** `max` caps the whole station, `tx` belongs to one transaction, `tx-default` holds where no `tx` does. */
export type ProfilePurpose = "max" | "tx-default" | "tx";

/** `Dynamic` is of 2.1: one period whose values the CSMS changes as it goes. */
export type ProfileKind = "Absolute" | "Recurring" | "Relative" | "Dynamic";

/** What the car is to do in a period; before 2.1 there was only `ChargingOnly`. The names are those of 2.1. */
export type OperationMode =
  | "Idle"
  | "ChargingOnly"
  | "CentralSetpoint"
  | "ExternalSetpoint"
  | "ExternalLimits"
  | "CentralFrequency"
  | "LocalFrequency"
  | "LocalLoadBalancing";

/** What 2.1 may change in a dynamic profile. A per phase, or W over all phases. */
export interface PeriodValues {
  /** Import, never negative. */
  readonly limit?: number;
  /** Export, never positive. */
  readonly dischargeLimit?: number;
  /** Charging positive, discharging negative. */
  readonly setpoint?: number;
}

export interface SchedulePeriod extends PeriodValues {
  /** From the start of the schedule. */
  readonly startMs: number;
  /** Conductors that may carry current; absent means three. */
  readonly phases?: number;
  /** The one conductor to use, 1 to 3, where the charger can choose. */
  readonly phaseToUse?: number;
  /** Absent means `ChargingOnly`. */
  readonly mode?: OperationMode;
}

/** A charging profile of any OCPP version, with its instants as epoch ms. */
export interface ChargingProfile {
  readonly id: number;
  /** Connector (1.6) or EVSE (2.x); 0 is the whole station. */
  readonly connectorId: number;
  readonly purpose: ProfilePurpose;
  readonly stackLevel: number;
  readonly kind: ProfileKind;
  /** Length of a day or a week, for `Recurring`. */
  readonly recurrenceMs?: number;
  readonly transactionId?: string;
  readonly validFromMs?: number;
  readonly validToMs?: number;
  readonly startScheduleMs?: number;
  readonly durationMs?: number;
  readonly unit: RateUnit;
  readonly periods: readonly SchedulePeriod[];
  /** When it was installed; absent until it is. */
  readonly receivedAtMs?: number;
  /** When a dynamic profile got its present values: its duration counts from here (2.1, K28.FR.13). */
  readonly updatedAtMs?: number;
  /** How often a dynamic profile asks the CSMS for new values; absent or 0 for never. */
  readonly pullIntervalMs?: number;
  /** How long without a link the profile still holds (2.1). */
  readonly maxOfflineMs?: number;
  /** True if it does not come back with the link once it stopped holding without one. */
  readonly endsOffline?: boolean;
  /** `chargingLimitSource` of 2.x; absent for what the CSMS installed itself. */
  readonly source?: string;
}

/** The moment for which a schedule is asked. */
export interface Moment {
  readonly nowMs: number;
  /** Start of the running transaction; absent without one. Relative schedules count from here. */
  readonly transactionStartMs?: number;
  /** How long the link has been down; absent while it is up. */
  readonly offlineMs?: number;
}

/** The period that holds at a moment, or nothing: the profile is not valid yet, has ended, or does not apply. */
export function periodAt(profile: ChargingProfile, moment: Moment): SchedulePeriod | undefined {
  const { nowMs } = moment;
  if (profile.validFromMs !== undefined && nowMs < profile.validFromMs) return undefined;
  if (profile.validToMs !== undefined && nowMs >= profile.validToMs) return undefined;
  if (isSuspendedOffline(profile, moment)) return undefined;
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
  if (profile.kind === "Dynamic") return Math.max(startMs ?? 0, profile.updatedAtMs ?? 0);
  if (startMs === undefined || profile.recurrenceMs === undefined || moment.nowMs < startMs) return startMs;
  return startMs + Math.floor((moment.nowMs - startMs) / profile.recurrenceMs) * profile.recurrenceMs;
}

function isSuspendedOffline(profile: ChargingProfile, { offlineMs }: Moment): boolean {
  return profile.maxOfflineMs !== undefined && offlineMs !== undefined && offlineMs >= profile.maxOfflineMs;
}

/** True when no later moment can bring the profile back. */
export function hasEnded(profile: ChargingProfile, moment: Moment): boolean {
  if (profile.validToMs !== undefined && moment.nowMs >= profile.validToMs) return true;
  if (profile.endsOffline === true && isSuspendedOffline(profile, moment)) return true;
  if (profile.kind === "Relative" || profile.kind === "Recurring" || profile.durationMs === undefined) return false;
  const startMs = scheduleStartMs(profile, moment);
  return startMs !== undefined && moment.nowMs >= startMs + profile.durationMs;
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
