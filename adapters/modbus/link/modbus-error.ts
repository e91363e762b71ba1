/**
 * What went wrong with one request.
 * - `timeout`: no answer in time; the outcome of a write is unknown
 * - `closed`: no connection, or it broke; the outcome of a write in flight is unknown
 * - `exception`: the device answered with a Modbus exception; a write did not happen
 * - `format`: the answer does not fit the request
 * - `argument`: the request itself is impossible and was never sent
 * - `busy`: too many requests are waiting; it was never sent
 */
export type ModbusFault = "timeout" | "closed" | "exception" | "format" | "argument" | "busy";

/** A request that did not succeed. */
export class ModbusError extends Error {
  override readonly name = "ModbusError";
  readonly fault: ModbusFault;
  /** The exception code, with `exception` only. */
  readonly code: number | undefined;

  constructor(fault: ModbusFault, message: string, options?: ErrorOptions & { code?: number }) {
    super(message, options);
    this.fault = fault;
    this.code = options?.code;
  }
}

/** Codes of the Modbus Application Protocol V1.1b3, section 7. */
export const ILLEGAL_FUNCTION = 1;
export const DEVICE_BUSY = 6;
export const GATEWAY_PATH_UNAVAILABLE = 10;
export const GATEWAY_TARGET_SILENT = 11;

const CODE_NAMES: Readonly<Record<number, string>> = {
  1: "illegal function",
  2: "illegal data address",
  3: "illegal data value",
  4: "device failure",
  5: "acknowledge",
  6: "device busy",
  8: "memory parity error",
  10: "gateway path unavailable",
  11: "gateway target did not respond",
};

/** An exception code in words. */
export function exceptionText(code: number): string {
  return `exception ${code} (${CODE_NAMES[code] ?? "unknown"})`;
}
