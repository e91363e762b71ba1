/**
 * What went wrong with one exchange.
 * - `timeout`: no whole answer in time; whether a write arrived is unknown
 * - `unreachable`: no way to the device, or it says that it cannot serve now (5.xx, 4.29)
 * - `refused`: the device answered that it will not (4.xx)
 * - `protocol`: the answer makes no sense
 */
export type CoapFault = "timeout" | "unreachable" | "refused" | "protocol";

/** An exchange that did not succeed. */
export class CoapError extends Error {
  override readonly name = "CoapError";
  readonly fault: CoapFault;
  /** Response code, for example `4.04`; absent where none came. */
  readonly code: string | undefined;

  constructor(fault: CoapFault, message: string, options?: ErrorOptions & { readonly code?: string }) {
    super(message, options);
    this.fault = fault;
    this.code = options?.code;
  }
}

/** Response codes by RFC 7252, 12.1.2, RFC 7959 and RFC 8516. */
const CODE_NAMES: Readonly<Record<string, string>> = {
  "4.00": "bad request",
  "4.01": "unauthorized",
  "4.02": "bad option",
  "4.03": "forbidden",
  "4.04": "not found",
  "4.05": "method not allowed",
  "4.06": "not acceptable",
  "4.08": "request entity incomplete",
  "4.12": "precondition failed",
  "4.13": "request entity too large",
  "4.15": "unsupported content-format",
  "4.29": "too many requests",
  "5.00": "internal server error",
  "5.01": "not implemented",
  "5.02": "bad gateway",
  "5.03": "service unavailable",
  "5.04": "gateway timeout",
  "5.05": "proxying not supported",
};

/** The fault that an answer other than success is; undefined for 2.xx. */
export function faultOfCode(code: string, what: string): CoapError | undefined {
  // "Go on" is no end, and "still valid" answers a question that we never ask (RFC 7959, 2.9.1; RFC 7252, 5.9.1.3).
  if (code.startsWith("2.") && code !== "2.31" && code !== "2.03") return undefined;
  const name = CODE_NAMES[code];
  const message = `${what}: answered ${code}${name === undefined ? "" : ` (${name})`}`;
  // A reset instead of an answer: the device has forgotten us, or knows no such message (RFC 7252, 4.2).
  if (code === "0.00") return new CoapError("unreachable", `${what}: the device reset the exchange`, { code });
  if (code === "4.29" || (code.startsWith("5.") && code !== "5.01"))
    return new CoapError("unreachable", message, { code });
  if (code.startsWith("4.") || code === "5.01") return new CoapError("refused", message, { code });
  return new CoapError("protocol", message, { code });
}
