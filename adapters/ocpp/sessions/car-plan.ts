import type { AcConnection } from "../../../src/model/units.ts";
import { kWFromAmps } from "../../../src/model/units.ts";
import { type JsonRecord, numberAt, recordAt, recordsAt, textAt } from "../link/json.ts";
import { parseTimestamp } from "../link/timestamp.ts";

/** What a car says that it will draw (NotifyEVChargingSchedule): it may plan less than it was offered. */
export interface CarPlan {
  /** Wall time, epoch ms; absent where the charger did not say when the plan begins. */
  readonly fromMs?: number;
  readonly unit: "A" | "W";
  readonly periods: readonly { readonly startS: number; readonly limit: number }[];
}

export function carPlanFrom(payload: JsonRecord): CarPlan | undefined {
  const schedule = recordAt(payload, "chargingSchedule") ?? {};
  const periods = recordsAt(schedule, "chargingSchedulePeriod").flatMap((period) => {
    const limit = numberAt(period, "limit") ?? numberAt(period, "setpoint");
    return limit === undefined ? [] : [{ startS: numberAt(period, "startPeriod") ?? 0, limit }];
  });
  if (periods.length === 0) return undefined;
  const fromMs = parseTimestamp(textAt(payload, "timeBase"));
  const unit = textAt(schedule, "chargingRateUnit")?.toUpperCase() === "A" ? "A" : "W";
  return { unit, periods, ...(fromMs === undefined ? {} : { fromMs }) };
}

/** What the car plans to draw at a time, kW, magnitude; below 0 it plans to give. Absent before the plan begins. */
export function plannedImportKW(plan: CarPlan, connection: AcConnection, nowMs: number): number | undefined {
  const sinceS = (nowMs - (plan.fromMs ?? nowMs)) / 1000;
  const limit = plan.periods.findLast(({ startS }) => startS <= sinceS)?.limit;
  if (limit === undefined) return undefined;
  return plan.unit === "A" ? kWFromAmps(limit, connection) : limit / 1000;
}
