import type { Limit } from "../../../src/model/limit.ts";
import { type AcConnection, kWFromAmps } from "../../../src/model/units.ts";
import { powerFromImportKW } from "../control/import-limit.ts";
import type { BackendLimits, WireLimit } from "./backend-profiles.ts";

/**
 * The backend's say on one connector as a limit of ours. The cap of a station with several connectors is shared equally: what
 * one of them leaves another may not take, which is less than could be, and never more.
 */
export function limitFromBackend(
  limits: BackendLimits,
  connection: AcConnection,
  connectorsOfStation: number,
): Limit | undefined {
  const own = limits.connector === undefined ? undefined : importKW(limits.connector, connection);
  const share = limits.station === undefined ? undefined : importKW(limits.station, connection) / connectorsOfStation;
  if (own === undefined && share === undefined) return undefined;
  const leastKW = Math.min(own ?? Number.POSITIVE_INFINITY, share ?? Number.POSITIVE_INFINITY);
  return { source: "backend", minPowerKW: powerFromImportKW(leastKW) };
}

/** kW of import that a limit allows on a connection: one that counts three phases gives a car on one phase a third. */
function importKW({ unit, value, phases }: WireLimit, connection: AcConnection): number {
  if (unit === "W") return value / 1000;
  return kWFromAmps(value, { phases: Math.min(phases, connection.phases), voltageV: connection.voltageV });
}
