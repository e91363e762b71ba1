import { DeviceError, type DeviceFault } from "../../../src/model/adapter.ts";
import type { Era } from "../../../src/model/resource.ts";
import { SunSpecError } from "../sunspec/sunspec-error.ts";
import { isAwayBehindGateway, ModbusError, messageOf } from "./modbus-error.ts";

/** The core's error for whatever went wrong while the device was asked for something. */
export function deviceErrorFrom(error: unknown, era: Era, attempted: string): DeviceError {
  if (error instanceof DeviceError) return error;
  const message = error instanceof ModbusError ? error.detail : messageOf(error);
  return new DeviceError(faultOf(error), era, `${attempted}: ${message}`, { cause: error });
}

function faultOf(error: unknown): DeviceFault {
  if (error instanceof SunSpecError) return error.fault;
  if (!(error instanceof ModbusError)) return "protocol";
  switch (error.fault) {
    case "timeout":
      return "timeout";
    case "closed":
    case "busy":
    case "resting":
      return "unreachable";
    case "exception":
      // A gateway answers these for a device behind it that is away.
      return isAwayBehindGateway(error.code) ? "unreachable" : "refused";
    case "format":
    case "argument":
      return "protocol";
  }
}
