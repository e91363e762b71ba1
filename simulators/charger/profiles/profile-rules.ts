import type { OcppVersion } from "../ocpp-version.ts";
import type { ChargingProfile, RateUnit, SchedulePeriod } from "./charging-profile.ts";
import { type ModeSituation, refuseMode } from "./operation-mode.ts";
import { type Refusal, refuse } from "./refusal.ts";

/** What this charger takes. A CSMS can read the same numbers in its configuration. */
export interface ProfileBounds {
  readonly units: readonly RateUnit[];
  readonly maxStackLevel: number;
  readonly maxPeriods: number;
  readonly maxProfiles: number;
  readonly connectors: number;
  readonly current: "AC" | "DC";
  /** Conductors of the supply. */
  readonly phases: 1 | 3;
  /** It can go from three conductors to one, and choose which. */
  readonly switchesPhases: boolean;
}

/** The transaction that runs, as a profile would name it. */
export interface ProfileSituation extends ModeSituation {
  readonly transactionRuns: boolean;
  readonly transactionId?: string;
  /** 2.x wants every transaction profile to name its transaction, and no two profiles for one place. */
  readonly version: OcppVersion;
  readonly installed: readonly ChargingProfile[];
}

/** Checks a profile as a careful charger does; nothing means that it may be installed. */
export function refusalOf(
  profile: ChargingProfile,
  bounds: ProfileBounds,
  situation: ProfileSituation,
): Refusal | undefined {
  return (
    refusePlace(profile, bounds) ??
    refuseSchedule(profile, bounds, situation) ??
    refuseTransaction(profile, situation) ??
    refuseNeighbours(profile, bounds, situation)
  );
}

function refusePlace(profile: ChargingProfile, bounds: ProfileBounds): Refusal | undefined {
  if (profile.connectorId < 0 || profile.connectorId > bounds.connectors) {
    return refuse("UnknownEvse", `there is no connector ${profile.connectorId}`);
  }
  if (profile.stackLevel < 0 || profile.stackLevel > bounds.maxStackLevel) {
    return refuse("InvalidStackLevel", `stack level ${profile.stackLevel} is outside 0 to ${bounds.maxStackLevel}`);
  }
  if (profile.purpose === "max" && profile.connectorId !== 0) {
    return refuse("InvalidProfile", "a maximum is for the whole station, connector 0");
  }
  if (profile.purpose === "max" && profile.kind === "Relative") {
    return refuse("InvalidProfile", "a maximum belongs to no transaction, so it cannot be relative to one");
  }
  if (profile.purpose === "tx" && profile.connectorId === 0) {
    return refuse("InvalidProfile", "a transaction profile is for one connector, not for 0");
  }
  return undefined;
}

function refuseSchedule(
  profile: ChargingProfile,
  bounds: ProfileBounds,
  situation: ProfileSituation,
): Refusal | undefined {
  if (!bounds.units.includes(profile.unit)) {
    return refuse("UnsupportedRateUnit", `unit ${profile.unit} is not supported, only ${bounds.units.join(" and ")}`);
  }
  if ((profile.kind === "Absolute" || profile.kind === "Recurring") && profile.startScheduleMs === undefined) {
    return refuse("InvalidSchedule", `${profile.kind} needs startSchedule`);
  }
  // 1.6 chargers pass over it; 2.x ones refuse.
  if (situation.version !== "1.6" && profile.kind === "Relative" && profile.startScheduleMs !== undefined) {
    return refuse("InvalidSchedule", "Relative takes no startSchedule");
  }
  if ((profile.kind === "Recurring") !== (profile.recurrenceMs !== undefined)) {
    return refuse("InvalidProfile", "recurrencyKind goes with Recurring and with nothing else");
  }
  if (profile.validFromMs !== undefined && (profile.validToMs ?? Number.POSITIVE_INFINITY) <= profile.validFromMs) {
    return refuse("InvalidProfile", "validTo is not after validFrom");
  }
  if (profile.durationMs !== undefined && profile.durationMs <= 0) {
    return refuse("InvalidSchedule", "duration is not positive");
  }
  if (profile.kind === "Dynamic" && profile.periods.length !== 1) {
    return refuse("InvalidSchedule", `a dynamic profile has one period, not ${profile.periods.length}`);
  }
  return refusePeriods(profile, bounds, situation);
}

function refusePeriods(
  profile: ChargingProfile,
  bounds: ProfileBounds,
  situation: ProfileSituation,
): Refusal | undefined {
  const { periods } = profile;
  if (periods.length > bounds.maxPeriods) {
    return refuse("InvalidSchedule", `${periods.length} periods, at most ${bounds.maxPeriods}`);
  }
  if (periods[0]?.startMs !== 0) return refuse("InvalidSchedule", "the first period does not start at 0");
  for (const [index, period] of periods.entries()) {
    if (period.limit !== undefined && period.limit < 0) {
      return refuse("InvalidSchedule", `limit ${period.limit} is negative`);
    }
    if (index > 0 && period.startMs <= (periods[index - 1]?.startMs ?? 0)) {
      return refuse("InvalidSchedule", "the periods are not in order");
    }
    const refusal =
      refusePhases(period, bounds, situation) ??
      (situation.version === "2.1" ? refuseMode(profile, period, situation) : undefined);
    if (refusal !== undefined) return refusal;
  }
  return undefined;
}

function refusePhases(
  { phases, phaseToUse }: SchedulePeriod,
  bounds: ProfileBounds,
  situation: ProfileSituation,
): Refusal | undefined {
  if (phases === undefined && phaseToUse === undefined) return undefined;
  if (bounds.current === "DC") {
    const code = situation.version === "2.1" ? "NoPhaseForDC" : "InvalidSchedule";
    return refuse(code, "a DC outlet has no phases: leave out numberPhases and phaseToUse");
  }
  if (phases !== undefined && (phases < 1 || phases > 3)) {
    return refuse("InvalidSchedule", `numberPhases ${phases} is outside 1 to 3`);
  }
  // 1.6 chargers use what they have; 2.x ones refuse (K01.FR.45).
  if (situation.version !== "1.6" && phases !== undefined && phases > bounds.phases) {
    return refuse("InvalidSchedule", `numberPhases ${phases}, but the supply has ${bounds.phases}`);
  }
  if (phases !== undefined && phases < bounds.phases && !bounds.switchesPhases) {
    return refuse("InvalidSchedule", `numberPhases ${phases}, but this charger always uses ${bounds.phases}`);
  }
  // K01.FR.19, K01.FR.20 and K01.FR.48
  if (phaseToUse !== undefined && (phases !== 1 || !bounds.switchesPhases)) {
    return refuse("InvalidSchedule", "phaseToUse goes with numberPhases 1, at a charger that can switch phases");
  }
  if (phaseToUse !== undefined && (phaseToUse < 1 || phaseToUse > bounds.phases)) {
    return refuse("InvalidSchedule", `phaseToUse ${phaseToUse} is outside 1 to ${bounds.phases}`);
  }
  return undefined;
}

function refuseTransaction(profile: ChargingProfile, situation: ProfileSituation): Refusal | undefined {
  if (profile.purpose !== "tx") {
    return profile.transactionId === undefined
      ? undefined
      : refuse("InvalidProfile", "transactionId goes with a transaction profile only");
  }
  if (profile.transactionId === undefined && situation.version !== "1.6") {
    return refuse("MissingParam", "a transaction profile names its transaction");
  }
  if (!situation.transactionRuns) return refuse("TxNotFound", "no transaction is running");
  if (profile.transactionId !== undefined && profile.transactionId !== situation.transactionId) {
    return refuse("TxNotFound", `transaction ${profile.transactionId} is not running`);
  }
  return undefined;
}

function refuseNeighbours(
  profile: ChargingProfile,
  bounds: ProfileBounds,
  situation: ProfileSituation,
): Refusal | undefined {
  const others = situation.installed.filter((other) => other.id !== profile.id);
  const rival = others.find((other) => samePlace(other, profile));
  // 1.6 replaces what stands at the same place; 2.x wants the CSMS to use the same id or to clear first
  // (SetChargingProfile, use case K01).
  if (situation.version !== "1.6" && rival !== undefined && overlaps(rival, profile)) {
    return refuse("DuplicateProfile", `profile ${rival.id} has the same purpose and stack level`);
  }
  const remaining = situation.version === "1.6" ? others.filter((other) => !samePlace(other, profile)) : others;
  if (remaining.length >= bounds.maxProfiles) {
    return refuse("TooManyElements", `${bounds.maxProfiles} profiles are installed, there is room for no more`);
  }
  return undefined;
}

/** True where 1.6 says that one profile takes the place of the other. */
export function samePlace(a: ChargingProfile, b: ChargingProfile): boolean {
  return a.purpose === b.purpose && a.stackLevel === b.stackLevel && a.connectorId === b.connectorId;
}

function overlaps(a: ChargingProfile, b: ChargingProfile): boolean {
  const startsMs = Math.max(a.validFromMs ?? Number.NEGATIVE_INFINITY, b.validFromMs ?? Number.NEGATIVE_INFINITY);
  const endsMs = Math.min(a.validToMs ?? Number.POSITIVE_INFINITY, b.validToMs ?? Number.POSITIVE_INFINITY);
  return startsMs < endsMs;
}
