import type { Config, DeviceConfig } from "./config/schema.ts";
import type { SiteConnection } from "./dispatch/site-fuse.ts";
import type { Limit } from "./model/limit.ts";

/** What the operator allows a device, from the config. */
export function operatorLimit({ limit }: Pick<DeviceConfig, "limit">): Limit {
  const { minPowerKW, maxPowerKW } = limit ?? {};
  return {
    source: "operator",
    ...(minPowerKW !== undefined && { minPowerKW }),
    ...(maxPowerKW !== undefined && { maxPowerKW }),
  };
}

/** What the site's connection allows, from the config. */
export function siteConnection({ maxImportKW, maxExportKW, reserveKW }: Config["site"]): SiteConnection {
  return {
    ...(maxImportKW !== undefined && { maxImportKW }),
    ...(maxExportKW !== undefined && { maxExportKW }),
    ...(reserveKW !== undefined && { reserveKW }),
  };
}

/** What the kind alone says before the device has connected: a charger does not generate, panels do not consume. */
export function bandOfKind(
  kind: DeviceConfig["kind"] | undefined,
): { minPowerKW: number; maxPowerKW: number } | undefined {
  switch (kind) {
    case "charger":
    case "load":
      return { minPowerKW: Number.NEGATIVE_INFINITY, maxPowerKW: 0 };
    case "solar":
      return { minPowerKW: 0, maxPowerKW: Number.POSITIVE_INFINITY };
    default:
      return undefined;
  }
}
