import { DeviceError, type Target } from "../../../src/model/adapter.ts";
import type { DeviceRole } from "../../kind.ts";
import type { Facts } from "./sunspec-device.ts";

/**
 * The power of a target within what the device can hold, kW, export positive.
 * @throws DeviceError `refused` for a power that makes no sense for it
 */
export function checkedPowerKW({ powerKW }: Target, { era, kind }: DeviceRole, facts: Facts): number {
  const range = facts.control?.control.range(facts.ratings);
  if (range === undefined) {
    throw new DeviceError("refused", era, "this device is only measured, it cannot be told a power");
  }
  if (!Number.isFinite(powerKW)) throw new DeviceError("refused", era, "the power is not a number");
  if (powerKW < 0 && range.minPowerKW >= 0) {
    throw new DeviceError("refused", era, `cannot consume ${-powerKW} kW: a ${kind} only generates`);
  }
  if (powerKW > 0 && range.maxPowerKW <= 0) {
    throw new DeviceError("refused", era, `cannot generate ${powerKW} kW: the device does not discharge`);
  }
  return Math.min(Math.max(powerKW, range.minPowerKW), range.maxPowerKW);
}
