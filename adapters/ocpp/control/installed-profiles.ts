import { integerAt, type JsonRecord, numberAt, recordAt, recordsAt, textAt } from "../link/json.ts";
import type { WireLimit } from "./import-limit.ts";

/** A charging profile that a station says it holds. */
export interface InstalledProfile {
  readonly id: number;
  /** 0 is the whole station; absent where the station did not say. */
  readonly connector?: number;
  /** In the station's own words. */
  readonly purpose: string;
  readonly stackLevel: number;
  /** Who set it, as the station knows it: `CSO`, `EMS`, `SO`, `Other`. */
  readonly source?: string;
  /** The first period; absent where it has none that can be read. */
  readonly limit?: WireLimit;
}

/** A row of ReportChargingProfiles; nothing where it has no id. */
export function installedProfileFrom(row: JsonRecord): InstalledProfile | undefined {
  const id = integerAt(row, "id");
  if (id === undefined) return undefined;
  const connector = integerAt(row, "evseId");
  const source = textAt(row, "chargingLimitSource");
  const [schedule] = recordsAt(row, "chargingSchedule");
  const limit = schedule === undefined ? undefined : firstLimit(schedule);
  return {
    id,
    purpose: textAt(row, "chargingProfilePurpose") ?? "unknown",
    stackLevel: integerAt(row, "stackLevel") ?? 0,
    ...(connector === undefined ? {} : { connector }),
    ...(source === undefined ? {} : { source }),
    ...(limit === undefined ? {} : { limit }),
  };
}

/** What a charger says that holds now, all profiles taken together; nothing where its schedule is empty or absent. */
export function compositeLimitFrom(answer: JsonRecord): WireLimit | undefined {
  // `chargingSchedule` in 1.6, `schedule` in 2.x.
  const schedule = recordAt(answer, "schedule") ?? recordAt(answer, "chargingSchedule");
  return schedule === undefined ? undefined : firstLimit(schedule);
}

function firstLimit(schedule: JsonRecord): WireLimit | undefined {
  const [period] = recordsAt(schedule, "chargingSchedulePeriod");
  const value = period === undefined ? undefined : numberAt(period, "limit");
  if (value === undefined) return undefined;
  return { unit: textAt(schedule, "chargingRateUnit")?.toUpperCase() === "W" ? "W" : "A", value };
}
