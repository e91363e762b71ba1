import type { Limit } from "../model/limit.ts";
import type { Era } from "../model/resource.ts";
import type { PowerBand } from "./curve-from-capability.ts";

/** What the site's connection allows in sum, kW magnitudes; an absent side is not bound. */
export interface SharedConnection {
  readonly maxImportKW?: number | undefined;
  readonly maxExportKW?: number | undefined;
  /** Load of the site that no device here meters, kept free of the import. */
  readonly reserveKW?: number | undefined;
}

/**
 * What each device may bid for, so that all that the site could be given at once passes its connection: the connection
 * in proportion to what each can do now. It changes when a car comes or goes and not with each reading, as a bound by what
 * the others do at the moment would.
 */
export function connectionShares(
  { maxImportKW, maxExportKW, reserveKW = 0 }: SharedConnection,
  bands: ReadonlyMap<Era, PowerBand>,
): ReadonlyMap<Era, Limit> {
  const sumKW = (side: keyof PowerBand) => [...bands.values()].reduce((sum, band) => sum + Math.abs(band[side]), 0);
  const importShare = shareOf(maxImportKW === undefined ? undefined : maxImportKW - reserveKW, sumKW("minPowerKW"));
  const exportShare = shareOf(maxExportKW, sumKW("maxPowerKW"));
  if (importShare === 1 && exportShare === 1) return new Map();
  return new Map(
    [...bands].map(([era, band]) => [
      era,
      {
        source: "fuse",
        ...(importShare < 1 && { minPowerKW: band.minPowerKW * importShare + 0 }),
        ...(exportShare < 1 && { maxPowerKW: band.maxPowerKW * exportShare }),
      },
    ]),
  );
}

function shareOf(allowedKW: number | undefined, wantedKW: number): number {
  if (allowedKW === undefined || wantedKW <= allowedKW) return 1;
  return Math.max(0, allowedKW) / wantedKW;
}
