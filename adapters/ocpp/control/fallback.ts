import type { OcppDevice } from "../config.ts";
import type { Station } from "../station.ts";
import { importLimitKW, ratingOf } from "./import-limit.ts";

/**
 * Import that a charger keeps to when no target holds, kW: what the config says, and no more than the charger's backend allows.
 * @returns nothing where neither bounds it, so that the charger is left to itself
 */
export function fallbackImportKW(station: Station, device: OcppDevice): number | undefined {
  const configuredKW = device.fallbackKW === undefined ? undefined : importLimitKW(device.fallbackKW);
  const allowedPowerKW = station.backendLimit(device.connector, device)?.minPowerKW;
  const allowedKW = allowedPowerKW === undefined ? undefined : importLimitKW(allowedPowerKW);
  if (allowedKW === undefined || allowedKW >= ratingOf(device).maxKW) return configuredKW;
  return Math.min(allowedKW, configuredKW ?? Number.POSITIVE_INFINITY);
}
