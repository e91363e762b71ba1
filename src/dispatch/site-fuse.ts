import type { Limit } from "../model/limit.ts";

/** What the site's connection allows in sum over all devices, kW magnitudes; an absent side is not bound. */
export interface SiteConnection {
  readonly maxImportKW?: number;
  readonly maxExportKW?: number;
  /** Load of the site that no device here meters, kW magnitude, kept free of the import limit. */
  readonly reserveKW?: number;
}

/** Power of another device for the fuse: where it may be now or soon. */
export interface Neighbour {
  /** kW, export positive; absent if nothing was measured lately. */
  readonly measuredKW?: number;
  /** kW, export positive; absent if it has no target. */
  readonly targetKW?: number;
  /** Powers that it is to have later, kW, export positive; absent where they do not count yet. */
  readonly plannedKW?: readonly number[];
  /** The most it could take in, kW, ≤ 0: counts while nothing was measured lately, whatever it was told. */
  readonly worstKW: number;
}

/**
 * The bound that the fuse leaves for one device beside the others. Conservative: another device counts with the larger
 * consumption of what it does and what it was told, and its generation counts only as far as both agree.
 */
export function fuseLimit(connection: SiteConnection, others: readonly Neighbour[]): Limit | undefined {
  if (connection.maxImportKW === undefined && connection.maxExportKW === undefined) return undefined;
  let lowest = -(connection.reserveKW ?? 0);
  let highest = 0;
  for (const other of others) {
    const { measuredKW, targetKW, worstKW, plannedKW = [] } = other;
    // A meter that fell silent is not a meter that reads zero.
    lowest += measuredKW === undefined ? worstKW : Math.min(measuredKW, targetKW ?? measuredKW, ...plannedKW);
    highest += Math.max(measuredKW ?? 0, targetKW ?? 0, ...plannedKW);
  }
  return {
    source: "fuse",
    ...(connection.maxImportKW === undefined ? {} : { minPowerKW: Math.min(0, -connection.maxImportKW - lowest) }),
    ...(connection.maxExportKW === undefined ? {} : { maxPowerKW: Math.max(0, connection.maxExportKW - highest) }),
  };
}
