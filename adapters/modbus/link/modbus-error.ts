/**
 * What went wrong with one request.
 * - `timeout`: no answer in time
 * - `closed`: no connection, or it broke
 * - `exception`: the device answered with a Modbus exception; a write did not happen
 * - `format`: the answer does not fit the request
 * - `argument`: the request itself is impossible and was never sent
 * - `busy`: too many requests are waiting; it was never sent
 * - `resting`: the unit, or all of the endpoint, was away and is left alone for a while; it was never sent
 *
 * Whether a write may have happened all the same says `outcomeUnknown`.
 */
export type ModbusFault = "timeout" | "closed" | "exception" | "format" | "argument" | "busy" | "resting";

/** A request that did not succeed. */
export class ModbusError extends Error {
  override readonly name = "ModbusError";
  readonly fault: ModbusFault;
  /** The exception code, with `exception` only. */
  readonly code: number | undefined;
  /** True for a write that was sent and of which nothing certain came back: it may or may not have taken effect. */
  readonly outcomeUnknown: boolean;

  constructor(
    fault: ModbusFault,
    message: string,
    options?: ErrorOptions & { readonly code?: number | undefined; readonly outcomeUnknown?: boolean },
  ) {
    super(message, options);
    this.fault = fault;
    this.code = options?.code;
    this.outcomeUnknown = options?.outcomeUnknown ?? false;
  }

  /** The message, with the doubt that is left of a write. */
  get detail(): string {
    return this.outcomeUnknown ? `${this.message}; whether it took effect is not known` : this.message;
  }
}

/** Codes of the Modbus Application Protocol V1.1b3, section 7. */
export const ILLEGAL_FUNCTION = 1;
export const DEVICE_BUSY = 6;
const GATEWAY_PATH_UNAVAILABLE = 10;
const GATEWAY_TARGET_SILENT = 11;

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

/** True for what a gateway says of a device behind it that is away; the gateway itself is well. */
export function isAwayBehindGateway(code: number | undefined): boolean {
  return code === GATEWAY_TARGET_SILENT || code === GATEWAY_PATH_UNAVAILABLE;
}

/** An exception code in words. */
export function exceptionText(code: number): string {
  return `exception ${code} (${CODE_NAMES[code] ?? "unknown"})`;
}

/** The words of whatever was thrown; the codec throws plain objects too. */
export function messageOf(error: unknown): string {
  if (typeof error === "object" && error !== null && "message" in error) return String(error.message);
  return String(error);
}
