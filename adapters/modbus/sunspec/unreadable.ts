import { ModbusError } from "../link/modbus-error.ts";

/** The device's own word about these registers: illegal function, address or value, or a failure of the device. */
export function refusesToRead(error: unknown): error is ModbusError {
  return error instanceof ModbusError && error.code !== undefined && error.code <= 4;
}
