import { ACK, type Answer, nack, type Refusal } from "./answer.ts";
import type { Envelope } from "./beckn-context.ts";

/** How the sender of a message writes, as far as it can be read; an answer is written in the same way. */
export interface AnswerStyle {
  readonly envelope: Envelope;
  /** Only the camel envelope repeats it in the answer. */
  readonly messageId?: string;
}

/** How the protocol's first form is answered, and whatever can't be read at all. */
const SNAKE: AnswerStyle = { envelope: "snake" };
const MAX_ID_LENGTH = 128;

/** The style of a message that may be anything. */
export function answerStyleOf(body: unknown): AnswerStyle {
  const context = (body as { context?: unknown } | null | undefined)?.context;
  if (typeof context !== "object" || context === null) return SNAKE;
  if (Object.hasOwn(context, "bap_id") || Object.hasOwn(context, "transaction_id")) return SNAKE;
  if (!Object.hasOwn(context, "bapId") && !Object.hasOwn(context, "transactionId")) return SNAKE;
  const { messageId } = context as { messageId?: unknown };
  const isId = typeof messageId === "string" && messageId.length <= MAX_ID_LENGTH;
  return { envelope: "camel", ...(isId && { messageId }) };
}

/** Received and kept. */
export function ackIn({ envelope, messageId }: AnswerStyle): Answer {
  if (envelope === "snake") return ACK;
  return { status: 200, body: JSON.stringify({ message: { status: "ACK", ...(messageId && { messageId }) } }) };
}

/** Refused, with the reason and the place. */
export function nackIn(
  { envelope, messageId }: AnswerStyle,
  refusal: Pick<Refusal, "status" | "code" | "path" | "message">,
): Answer {
  const { status, code, path, message } = refusal;
  if (envelope === "snake") return nack(status, code, path, message);
  const error = { code, paths: path, message };
  return {
    status,
    body: JSON.stringify({ message: { status: "NACK", ...(messageId && { messageId }), error } }),
  };
}
