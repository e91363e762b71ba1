import { type Answer, Refusal } from "./answer.ts";
import { type InboundMessage, MAX_MESSAGE_BYTES } from "./message-body.ts";
import { parseStrictJson } from "./strict-json.ts";

/** A message of 64 KiB with every letter escaped, and its signature. */
const MAX_ENVELOPE_BYTES = 2 * MAX_MESSAGE_BYTES + 8192;

/**
 * Opens what came over MQTT.
 *
 * MQTT 3.1.1 has no headers, so a signed message comes as `{"authorization": "Signature keyId=…", "body": "…"}`, where
 * `body` is the message as text; its UTF-8 bytes are what is signed. A message without this envelope has no signature.
 * @throws Refusal
 */
export function openEnvelope(payload: Uint8Array, requireSignature: boolean): InboundMessage {
  if (payload.length > MAX_ENVELOPE_BYTES) {
    throw new Refusal(413, "BODY_TOO_LARGE", "", `an envelope may have at most ${MAX_ENVELOPE_BYTES} bytes`);
  }
  const json = parseStrictJson(payload);
  if (!json.ok) throw new Refusal(400, "BODY_INVALID", json.path, json.fault);
  if (typeof json.value !== "object" || json.value === null || !("body" in json.value)) {
    return { body: payload, requireSignature };
  }
  const { body, authorization } = json.value as { body: unknown; authorization?: unknown };
  if (typeof body !== "string") throw new Refusal(400, "ENVELOPE_INVALID", "body", "expected the message as text");
  if (authorization !== undefined && typeof authorization !== "string") {
    throw new Refusal(400, "ENVELOPE_INVALID", "authorization", "expected the header as text");
  }
  return { body: Buffer.from(body), authorization, requireSignature };
}

/**
 * The answer for the other topic: the answer as over HTTP, with the ids of the message beside it, so that the sender can
 * tell which of its messages is meant, and the HTTP status that it would have had.
 */
export function answerText(answer: Answer, message: InboundMessage | undefined): string {
  const context = contextOf(message);
  const ids = {
    message_id: text(context["message_id"] ?? context["messageId"]),
    transaction_id: text(context["transaction_id"] ?? context["transactionId"]),
    action: text(context["action"]),
    httpStatus: answer.status,
    ...(answer.headers?.["signature"] !== undefined && { signature: answer.headers["signature"] }),
  };
  return JSON.stringify({ ...ids, ...JSON.parse(answer.body) });
}

/** An answer that came over MQTT. */
export interface MqttAnswer extends Answer {
  /** Of the message that it answers, where it says so. */
  readonly messageId: string | undefined;
}

/**
 * Reads what `answerText` writes, `{message_id, transaction_id, action, httpStatus, signature?, …}`: what stands beside them
 * is the body as over HTTP, letter by letter, since its signature covers that.
 * @returns nothing if it is no answer
 */
export function readAnswer(payload: Uint8Array): MqttAnswer | undefined {
  if (payload.length > MAX_MESSAGE_BYTES) return undefined;
  const json = parseStrictJson(payload);
  if (!json.ok || typeof json.value !== "object" || json.value === null || Array.isArray(json.value)) return undefined;
  const {
    message_id,
    transaction_id: _transaction,
    action: _action,
    httpStatus,
    signature,
    ...body
  } = json.value as Record<string, unknown>;
  if (typeof httpStatus !== "number" || !Number.isInteger(httpStatus) || httpStatus < 200 || httpStatus > 599) {
    return undefined;
  }
  const messageId = typeof message_id === "string" ? message_id : undefined;
  const headers = typeof signature === "string" ? { headers: { signature } } : {};
  return { status: httpStatus, body: JSON.stringify(body), messageId, ...headers };
}

/** The context as far as it can be read; it may be anything. */
function contextOf(message: InboundMessage | undefined): Readonly<Record<string, unknown>> {
  if (message === undefined || message.body.length > MAX_MESSAGE_BYTES) return {};
  const json = parseStrictJson(message.body);
  const context = json.ok ? (json.value as { context?: unknown } | null)?.context : undefined;
  return typeof context === "object" && context !== null ? (context as Record<string, unknown>) : {};
}

/** An id, or null where it is none. */
function text(id: unknown): string | null {
  return typeof id === "string" && id.length <= 128 ? id : null;
}
