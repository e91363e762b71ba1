import type { SignatureFault } from "./signature.ts";

/** Why a message is refused, for the sender's program. */
export type NackCode =
  | "BODY_TOO_LARGE"
  | "BODY_INVALID"
  | "ENVELOPE_INVALID"
  | "RETAINED"
  | "DIALECT_UNKNOWN"
  | "CONTEXT_INVALID"
  | "ACTION_UNKNOWN"
  | "ACTION_MISMATCH"
  | "NOT_PROVIDER"
  | SignatureFault
  | "SIGNER_MISMATCH"
  | "NOT_ADDRESSEE"
  | "MESSAGE_STALE"
  | "MESSAGE_FROM_FUTURE"
  | "MESSAGE_CONFLICT"
  | "MESSAGE_INVALID"
  | "RESOURCE_UNKNOWN"
  | "RESOURCE_AMBIGUOUS"
  | "SIGN_AMBIGUOUS"
  | "BASELINE_UNKNOWN"
  | "SETPOINT_ENDED"
  | "SETPOINT_TOO_FAR_AHEAD"
  | "SETPOINT_IMPOSSIBLE"
  | "NOT_STORED";

/** What is answered to a message, over HTTP or MQTT. */
export interface Answer {
  /** HTTP status. */
  readonly status: number;
  /** JSON. */
  readonly body: string;
  /** HTTP headers beside the usual ones, in lower case; a door that has no headers leaves them out. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** Thrown inside the market part when a message is refused; becomes a NACK at the door. */
export class Refusal extends Error {
  override readonly name = "Refusal";
  readonly status: 400 | 401 | 404 | 409 | 413 | 503;
  readonly code: NackCode;
  /** Where in the message, for example `message.order.beckn:orderAttributes.setpointKW`; empty for the whole. */
  readonly path: string;

  constructor(status: Refusal["status"], code: NackCode, path: string, message: string) {
    super(message);
    this.status = status;
    this.code = code;
    this.path = path;
  }
}

export const ACK: Answer = { status: 200, body: '{"message":{"ack":{"status":"ACK"}}}' };

/** Refused, with the reason and the place. */
export function nack(status: number, code: string, path: string, message: string): Answer {
  return {
    status,
    body: JSON.stringify({ message: { ack: { status: "NACK" }, error: { code, paths: path, message } } }),
  };
}

export function nackOf(refusal: Refusal): Answer {
  return nack(refusal.status, refusal.code, refusal.path, refusal.message);
}
