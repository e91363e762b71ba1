import type { Config, DeviceConfig } from "./config/schema.ts";
import type { DeviceSnapshot } from "./dispatch/device-lane.ts";
import type { SiteConnection } from "./dispatch/site-fuse.ts";
import type { Limit } from "./model/limit.ts";
import type { MeteredDevice } from "./model/utility.ts";

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

/** The devices as a utility may know them. */
export function meteredDevices(
  devices: readonly DeviceConfig[],
  snapshots: readonly DeviceSnapshot[],
): readonly MeteredDevice[] {
  const kinds = new Map(devices.map(({ era, kind }) => [era, kind]));
  return snapshots.flatMap((snapshot) => {
    const { era, linkUp, capability, availability, targetKW, liveKW, reading, socPercent } = snapshot;
    const live = liveKW === undefined ? undefined : reading;
    const kind = kinds.get(era);
    if (kind === undefined) return [];
    return [
      {
        era,
        kind,
        linkUp,
        ...(capability && { capability }),
        ...(availability && { availability }),
        ...(targetKW !== undefined && { targetKW }),
        ...(liveKW !== undefined && { powerKW: liveKW }),
        ...(live?.reactivePowerKvar !== undefined && { reactivePowerKvar: live.reactivePowerKvar }),
        ...(live?.offeredKW !== undefined && { offeredKW: live.offeredKW }),
        ...(live?.voltageV !== undefined && { voltageV: live.voltageV }),
        ...(socPercent !== undefined && { socPercent }),
      },
    ];
  });
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
