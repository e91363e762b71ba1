import { type ChargingProfile, changesBetween, type Moment, type RateUnit } from "./charging-profile.ts";
import { effectiveLimit, limitKW, type Wiring } from "./effective-limit.ts";

export interface CompositePeriod {
  /** Seconds from the start. */
  readonly startPeriod: number;
  readonly limit: number;
  readonly numberPhases: number;
}

const LONGEST_MS = 86_400_000;
const MOST_PERIODS = 200;

/** What will bind from a moment on, all profiles taken together, as GetCompositeSchedule wants it. */
export function compositeSchedule(
  profiles: readonly ChargingProfile[],
  moment: Moment,
  options: { durationMs: number; unit: RateUnit; wiring: Wiring },
): CompositePeriod[] {
  const untilMs = moment.nowMs + Math.min(Math.max(options.durationMs, 0), LONGEST_MS);
  const instants = profiles.flatMap((profile) => changesBetween(profile, moment, untilMs));
  const periods: CompositePeriod[] = [];
  for (const nowMs of [moment.nowMs, ...new Set(instants.sort((a, b) => a - b))].slice(0, MOST_PERIODS)) {
    const limit = effectiveLimit(profiles, { ...moment, nowMs }, options.wiring);
    const value = options.unit === "A" ? limit.limitA : limitKW(limit, options.wiring) * 1000;
    const period = {
      startPeriod: Math.round((nowMs - moment.nowMs) / 1000),
      limit: Math.floor(value * 10 + 1e-6) / 10,
      numberPhases: limit.phases,
    };
    const last = periods.at(-1);
    if (last?.limit === period.limit && last.numberPhases === period.numberPhases) continue;
    if (last?.startPeriod === period.startPeriod) periods.pop();
    periods.push(period);
  }
  return periods;
}
