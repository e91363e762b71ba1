import type { ChargerBehaviour } from "../behaviour.ts";
import type { ChargingProfile } from "../profiles/charging-profile.ts";
import type { EffectiveLimit, Wiring } from "../profiles/effective-limit.ts";
import { type Refusal, refuse } from "../profiles/refusal.ts";

/** Why a charger that behaves like this refuses a profile that others take. */
export function refusalByFault(profile: ChargingProfile, behaviour: Readonly<ChargerBehaviour>): Refusal | undefined {
  if (behaviour.rejectsProfiles) return refuse("Unspecified", "this charger takes no profile");
  const { rejectsAboveStackLevel: highest } = behaviour;
  if (highest !== undefined && profile.stackLevel > highest) {
    return refuse("InvalidStackLevel", `stack level ${profile.stackLevel} is above ${highest}`);
  }
  if (behaviour.rejectsPurposes.includes(profile.purpose)) {
    return refuse("UnsupportedPurpose", `this charger takes no profile of purpose ${profile.purpose}`);
  }
  if (behaviour.rejectsKinds.includes(profile.kind)) {
    return refuse("UnsupportedKind", `this charger takes no ${profile.kind} profile`);
  }
  if (behaviour.refusesZeroLimit && profile.periods.some(({ limit }) => limit === 0)) {
    return refuse("ValueZeroNotAllowed", "this charger cannot be paused with a limit of 0");
  }
  return undefined;
}

/** The profiles that it acts on, of all that it holds. */
export function heeded(
  profiles: readonly ChargingProfile[],
  behaviour: Readonly<ChargerBehaviour>,
  nowMs: number,
): readonly ChargingProfile[] {
  if (behaviour.ignoresProfiles) return [];
  const { revertsAfterMs } = behaviour;
  if (revertsAfterMs === undefined) return profiles;
  return profiles.filter((profile) => nowMs < (profile.updatedAtMs ?? Number.NEGATIVE_INFINITY) + revertsAfterMs);
}

/** What it makes of a limit. @param chargingForMs how long the transaction has been running */
export function spoilt(
  limit: EffectiveLimit,
  behaviour: Readonly<ChargerBehaviour>,
  wiring: Wiring,
  chargingForMs: number | undefined,
): EffectiveLimit {
  const { appliesShare, dropsToOnePhaseAfterMs } = behaviour;
  const dropped =
    dropsToOnePhaseAfterMs !== undefined && chargingForMs !== undefined && chargingForMs >= dropsToOnePhaseAfterMs;
  return {
    ...limit,
    limitA: wiring.maxA - appliesShare * (wiring.maxA - limit.limitA),
    ...(limit.setpointA === undefined ? {} : { setpointA: appliesShare * limit.setpointA }),
    ...(dropped ? { phases: 1 } : {}),
  };
}
