import { type Answer, nack, type Refusal } from "../answer.ts";
import type { Envelope } from "../beckn-context.ts";

/** Why a provider refuses a request that is well formed, for the sender's program. */
export type DeclineCode =
  | "TRANSACTION_UNKNOWN"
  | "STATE_ILLEGAL"
  | "RESOURCE_UNKNOWN"
  | "CURVE_INVALID"
  | "OFFER_UNKNOWN"
  | "OFFER_EXPIRED"
  | "OFFER_MISMATCH"
  | "GATE_CLOSED"
  | "REPLY_ADDRESS_INVALID"
  | "BUSY";

/** Thrown when a request can't be carried out as things stand; becomes a NACK at the door. */
export class Declined extends Error {
  override readonly name = "Declined";
  readonly code: DeclineCode;
  /** Where in the message; empty for the whole. */
  readonly path: string;

  constructor(code: DeclineCode, path: string, message: string) {
    super(message);
    this.code = code;
    this.path = path;
  }

  /** HTTP status of the answer. */
  get status(): number {
    return this.code === "BUSY" ? 503 : this.code === "TRANSACTION_UNKNOWN" ? 404 : 409;
  }
}

/** The dialect in which an answer goes, with what it has to name. */
export interface AnswerForm {
  readonly envelope: Envelope;
  readonly messageId: string;
}

/** Taken, in the dialect of the request: `message.ack.status` in the seed's time, `message.status` since 2026. */
export function ackIn({ envelope, messageId }: AnswerForm): Answer {
  const message = envelope === "camel" ? { status: "ACK", messageId } : { ack: { status: "ACK" } };
  return { status: 200, body: JSON.stringify({ message }) };
}

/** Refused, with the reason and the place, in the dialect of the request; in the seed's where that is not known. */
export function nackIn(form: AnswerForm | undefined, fault: Refusal | Declined): Answer {
  const { status, code, path, message } = fault;
  if (form?.envelope !== "camel") return nack(status, code, path, message);
  const error = { code, paths: path, message };
  return { status, body: JSON.stringify({ message: { status: "NACK", messageId: form.messageId, error } }) };
}
