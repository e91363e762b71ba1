import {
  type ChargingProfile,
  type Moment,
  type OperationMode,
  type ProfilePurpose,
  periodAt,
  type RateUnit,
  type SchedulePeriod,
} from "./charging-profile.ts";

/** How a charger is connected: what its cable can do whatever a profile says. */
export interface Wiring {
  /** 1 for a DC outlet. */
  readonly phases: 1 | 3;
  /** Per phase. */
  readonly maxA: number;
  /** Line to neutral; of a DC outlet between its two poles. */
  readonly voltageV: number;
  /** Absent means AC. */
  readonly current?: "AC" | "DC";
}

/** What the car may draw, or is to do: amps on each of so many phases. */
export interface EffectiveLimit {
  readonly limitA: number;
  readonly phases: number;
  /** The one conductor in use, 1 to 3; absent where the charger uses the first ones. */
  readonly phaseToUse?: number;
  readonly mode: OperationMode;
  /** What the car is to hold, charging positive; absent where it may draw what it likes up to the limit. */
  readonly setpointA?: number;
}

/** IEC 61851-1: the pilot signal cannot offer less than this, so below it charging pauses. */
const LEAST_CURRENT_A = 6;

/** A schedule that does not say how many phases means three (ChargingSchedulePeriod of all versions). */
const ASSUMED_PHASES = 3;

/**
 * What binds at a moment. The transaction's own profile takes the place of the default one, whichever is lower; the
 * station's maximum caps both; the cable caps all. Within a purpose the highest stack level that holds wins.
 *
 * @param connectorsInUse how many connectors divide the station's maximum among them
 */
export function effectiveLimit(
  profiles: readonly ChargingProfile[],
  moment: Moment,
  wiring: Wiring,
  connectorsInUse = 1,
): EffectiveLimit {
  const charging = holding(profiles, "tx", moment) ?? holding(profiles, "tx-default", moment);
  const cap = holding(profiles, "max", moment);
  const phases = Math.min(wiring.phases, charging?.phases ?? ASSUMED_PHASES, cap?.phases ?? ASSUMED_PHASES);
  const amps = (value: number, unit: RateUnit) => (unit === "A" ? value : value / (wiring.voltageV * phases));
  const mode = charging?.mode ?? "ChargingOnly";
  const chargingA = charging?.limit === undefined ? wiring.maxA : amps(charging.limit, charging.unit);
  // A cap in watts is turned into amps with the phases that are really used, or one phase could carry all of it.
  const capA = cap?.limit === undefined ? wiring.maxA : amps(cap.limit, cap.unit) / connectorsInUse;
  const limitA = mode === "Idle" ? 0 : Math.min(wiring.maxA, chargingA, capA);
  const one = phases === 1 ? (charging?.phaseToUse ?? cap?.phaseToUse) : undefined;
  const limit: EffectiveLimit = { limitA, phases, mode, ...(one === undefined ? {} : { phaseToUse: one }) };
  if (charging?.setpoint === undefined) return limit;
  const dischargeA =
    charging.dischargeLimit === undefined
      ? wiring.maxA
      : Math.min(wiring.maxA, -amps(charging.dischargeLimit, charging.unit));
  const setpointA = Math.min(Math.max(amps(charging.setpoint, charging.unit), -dischargeA), limitA);
  return { ...limit, setpointA };
}

/** Power magnitude of a limit, kW. */
export function limitKW(limit: EffectiveLimit, wiring: Wiring): number {
  return (limit.limitA * limit.phases * wiring.voltageV) / 1000;
}

/** What the car is asked for, kW: charging positive, as OCPP counts. */
export function askedKW(limit: EffectiveLimit, wiring: Wiring): number {
  return ((limit.setpointA ?? limit.limitA) * limit.phases * wiring.voltageV) / 1000;
}

/** True where no current flows at all. A DC outlet, and a car that follows a setpoint, know no least current. */
export function pauses(limit: EffectiveLimit, wiring: Wiring): boolean {
  if (limit.setpointA !== undefined) return Math.abs(limit.setpointA) < 1e-9;
  return limit.limitA < (wiring.current === "DC" ? 1e-9 : LEAST_CURRENT_A - 1e-9);
}

interface Holding extends SchedulePeriod {
  readonly unit: RateUnit;
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
