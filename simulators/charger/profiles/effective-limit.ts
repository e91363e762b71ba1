import { type ChargingProfile, type Moment, type ProfilePurpose, periodAt, type RateUnit } from "./charging-profile.ts";

/** How a charger is connected: what its cable can do whatever a profile says. */
export interface Wiring {
  readonly phases: 1 | 3;
  /** Per phase. */
  readonly maxA: number;
  /** Line to neutral. */
  readonly voltageV: number;
}

/** What the car may draw: amps on each of so many phases. */
export interface EffectiveLimit {
  readonly limitA: number;
  readonly phases: number;
}

/** IEC 61851-1: the pilot signal cannot offer less than this, so below it charging pauses. */
const LEAST_CURRENT_A = 6;

/** A schedule that does not say how many phases means three (ChargingSchedulePeriod of both versions). */
const ASSUMED_PHASES = 3;

/**
 * What binds at a moment. The transaction's own profile takes the place of the default one, whichever is lower; the
 * station's maximum caps both; the cable caps all. Within a purpose the highest stack level that holds wins.
 */
export function effectiveLimit(profiles: readonly ChargingProfile[], moment: Moment, wiring: Wiring): EffectiveLimit {
  const charging = holding(profiles, "tx", moment) ?? holding(profiles, "tx-default", moment);
  const cap = holding(profiles, "max", moment);
  const phases = Math.min(wiring.phases, charging?.phases ?? ASSUMED_PHASES, cap?.phases ?? ASSUMED_PHASES);
  const chargingA = charging === undefined ? wiring.maxA : ampsOf(charging.limit, charging.unit, phases, wiring);
  // A cap in watts is turned into amps with the phases that are really used, or one phase could carry all of it.
  const capA = cap === undefined ? wiring.maxA : ampsOf(cap.limit, cap.unit, phases, wiring);
  return { limitA: Math.min(wiring.maxA, chargingA, capA), phases };
}

/** Power magnitude of a limit, kW. */
export function limitKW(limit: EffectiveLimit, wiring: Wiring): number {
  return (limit.limitA * limit.phases * wiring.voltageV) / 1000;
}

/** True where the limit lets no current flow at all. */
export function pauses(limit: EffectiveLimit): boolean {
  return limit.limitA < LEAST_CURRENT_A - 1e-9;
}

function ampsOf(limit: number, unit: RateUnit, phases: number, wiring: Wiring): number {
  return unit === "A" ? limit : limit / (wiring.voltageV * phases);
}

interface Holding {
  readonly limit: number;
  readonly unit: RateUnit;
  readonly phases?: number;
}

function holding(profiles: readonly ChargingProfile[], purpose: ProfilePurpose, moment: Moment): Holding | undefined {
  const candidates = profiles
    .filter((profile) => profile.purpose === purpose)
    // At one stack level a profile for the connector goes before one for the whole station.
    .sort((a, b) => b.stackLevel - a.stackLevel || b.connectorId - a.connectorId);
  for (const profile of candidates) {
    const period = periodAt(profile, moment);
    if (period !== undefined) return { ...period, unit: profile.unit };
  }
  return undefined;
}
