import { definedOnly } from "../../src/model/defined-only.ts";
import type { ModbusDevice } from "./config.ts";
import type { Profile } from "./profile/profile-schema.ts";

/** A device's part of the config with nothing left open but what may stay so. */
export interface ModbusSettings extends ModbusDevice {
  readonly port: number;
  readonly unit: number;
  readonly pollMs: number;
  readonly timeoutMs: number;
  readonly gapMs: number;
  readonly settleS: number;
  readonly connectDelayMs: number;
}

/** What the config says of a device, else its profile, else what is usual. */
export function settingsOf(device: ModbusDevice, profile?: Profile): ModbusSettings {
  const transport = profile?.transport;
  const effect = Object.values(profile?.controls ?? {})[0]?.verify.effect;
  return {
    ...device,
    ...(device.serial && { serial: { ...transport?.serial, ...definedOnly(device.serial) } }),
    port: device.port ?? transport?.port ?? 502,
    unit: device.unit ?? transport?.unit ?? 1,
    pollMs: device.pollMs ?? transport?.pollMs ?? 1000,
    timeoutMs: device.timeoutMs ?? transport?.timeoutMs ?? 2000,
    gapMs: device.gapMs ?? transport?.gapMs ?? 0,
    connectDelayMs: device.connectDelayMs ?? transport?.connectDelayMs ?? 0,
    settleS: device.settleS ?? effect?.settleS ?? 6,
  };
}
