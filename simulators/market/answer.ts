/** Why the market refuses a message. */
export type RefusalCode =
  | "METHOD_NOT_ALLOWED"
  | "BODY_TOO_LARGE"
  | "BODY_INVALID"
  | "CONTEXT_INVALID"
  | "ACTION_UNKNOWN"
  | "ACTION_MISMATCH"
  | "SIGNATURE_MISSING"
  | "SIGNATURE_INVALID"
  | "SIGNER_MISMATCH"
  | "NOT_ADDRESSEE"
  | "MESSAGE_STALE"
  | "MESSAGE_CONFLICT"
  | "MESSAGE_INVALID"
  | "CURVE_INVALID"
  | "TRANSACTION_UNKNOWN"
  | "TRANSACTION_CLOSED"
  | "NO_OFFER"
  | "OFFER_EXPIRED"
  | "OFFER_MISMATCH"
  | "ALREADY_CONFIRMED"
  | "TOO_MANY"
  | "INTERNAL";

/** Thrown when a message is refused; becomes a NACK at the door. */
export class Refusal extends Error {
  override readonly name = "Refusal";
  readonly status: number;
  readonly code: RefusalCode;
  /** Where in the message; empty for the whole of it. */
  readonly paths: string;

  constructor(status: number, code: RefusalCode, paths: string, message: string) {
    super(message);
    this.status = status;
    this.code = code;
    this.paths = paths;
  }
}

/** What the market answers to a request. */
export interface Answer {
  /** HTTP status. */
  readonly status: number;
  /** JSON. */
  readonly body: string;
}

export const ACK: Answer = { status: 200, body: JSON.stringify({ message: { ack: { status: "ACK" } } }) };

export function nack(refusal: Refusal): Answer {
  const { code, paths, message } = refusal;
  return {
    status: refusal.status,
    body: JSON.stringify({ message: { ack: { status: "NACK" }, error: { code, paths, message } } }),
  };
}

/** What a participant answered to a callback. `detail` is its error, cut to a readable length. */
export interface ParticipantAnswer {
  readonly ack: boolean;
  readonly detail?: string;
}

const MAX_DETAIL_LETTERS = 300;

/**
 * Reads a participant's answer. Both forms in use are taken, `message.ack.status` and `message.status`; over MQTT the
 * answer may also stand without `message` around it.
 * @returns nothing if it is neither an ACK nor a NACK
 */
export function participantAnswer(answer: unknown): ParticipantAnswer | undefined {
  const message = field(answer, "message") ?? answer;
  const ack = field(message, "ack");
  const status = typeof ack === "string" ? ack : (field(ack, "status") ?? field(message, "status"));
  if (status === "ACK") return { ack: true };
  if (status !== "NACK") return undefined;
  const error = field(message, "error") ?? field(answer, "error");
  if (error === undefined) return { ack: false };
  return { ack: false, detail: JSON.stringify(error).slice(0, MAX_DETAIL_LETTERS) };
}

function field(value: unknown, name: string): unknown {
  if (typeof value !== "object" || value === null || !Object.hasOwn(value, name)) return undefined;
  return (value as Record<string, unknown>)[name];
}
