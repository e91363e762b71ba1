import {
  type ChargingProfile,
  changesBetween,
  type Moment,
  type OperationMode,
  type RateUnit,
} from "./charging-profile.ts";
import { type EffectiveLimit, effectiveLimit, type Wiring } from "./effective-limit.ts";

/** One connector, as it enters the schedule of the station. */
export interface CompositePlace {
  /** Those that apply to it. */
  readonly profiles: readonly ChargingProfile[];
  readonly moment: Moment;
  readonly wiring: Wiring;
  readonly connectorsInUse?: number;
}

export interface CompositePeriod {
  /** Seconds from the start. */
  readonly startPeriod: number;
  readonly limit: number;
  readonly numberPhases: number;
  /** Charging positive; only where a setpoint holds. */
  readonly setpoint?: number;
  readonly mode?: OperationMode;
}

const LONGEST_MS = 86_400_000;
const MOST_PERIODS = 200;

/** What will bind from a moment on, all profiles taken together, as GetCompositeSchedule wants it. */
export function compositeSchedule(
  profiles: readonly ChargingProfile[],
  moment: Moment,
  options: { durationMs: number; unit: RateUnit; wiring: Wiring },
): CompositePeriod[] {
  return stationSchedule([{ profiles, moment, wiring: options.wiring }], options);
}

/** The same for several connectors at once: their limits add up. */
export function stationSchedule(
  places: readonly CompositePlace[],
  options: { durationMs: number; unit: RateUnit },
): CompositePeriod[] {
  const startMs = places[0]?.moment.nowMs ?? 0;
  const untilMs = startMs + Math.min(Math.max(options.durationMs, 0), LONGEST_MS);
  const instants = places.flatMap(({ profiles, moment }) =>
    profiles.flatMap((profile) => changesBetween(profile, moment, untilMs)),
  );
  const periods: CompositePeriod[] = [];
  for (const nowMs of [startMs, ...new Set(instants.sort((a, b) => a - b))].slice(0, MOST_PERIODS)) {
    const parts = places.map(({ profiles, moment, wiring, connectorsInUse }) => {
      return { wiring, limit: effectiveLimit(profiles, { ...moment, nowMs }, wiring, connectorsInUse) };
    });
    const period = { startPeriod: Math.round((nowMs - startMs) / 1000), ...sumOf(parts, options.unit) };
    const last = periods.at(-1);
    if (last !== undefined && sameValues(last, period)) continue;
    if (last?.startPeriod === period.startPeriod) periods.pop();
    periods.push(period);
  }
  return periods;
}

interface Part {
  readonly wiring: Wiring;
  readonly limit: EffectiveLimit;
}

function sumOf(parts: readonly Part[], unit: RateUnit): Omit<CompositePeriod, "startPeriod"> {
  const inUnit = ({ wiring, limit }: Part, amps: number) =>
    unit === "A" ? amps : amps * limit.phases * wiring.voltageV;
  const total = (ampsOf: (limit: EffectiveLimit) => number) =>
    parts.reduce((sum, part) => sum + inUnit(part, ampsOf(part.limit)), 0);
  const [only, ...others] = parts;
  const ordered = others.length === 0 && only?.limit.mode !== "ChargingOnly" ? only?.limit : undefined;
  return {
    limit: Math.floor(total((limit) => limit.limitA) * 10 + 1e-6) / 10,
    numberPhases: Math.max(1, ...parts.map(({ limit }) => limit.phases)),
    ...(ordered === undefined ? {} : { mode: ordered.mode }),
    ...(ordered?.setpointA === undefined
      ? {}
      : { setpoint: Math.round(total((limit) => limit.setpointA ?? 0) * 10) / 10 }),
  };
}

function sameValues(a: CompositePeriod, b: CompositePeriod): boolean {
  return a.limit === b.limit && a.numberPhases === b.numberPhases && a.setpoint === b.setpoint && a.mode === b.mode;
}
