import type { OcppDevice } from "../config.ts";
import type { Station } from "../station.ts";
import { importLimitKW, ratingOf } from "./import-limit.ts";

/** False where neither the config nor a backend could ever bound a charger that has no target. */
export function mayHaveFallback({ fallbackKW, upstream }: OcppDevice): boolean {
  return fallbackKW !== undefined || upstream !== undefined;
}

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
