import { Refusal } from "./answer.ts";
import { durationMsFromText, instantMsFromText, textFromDurationMs, textFromInstantMs } from "./iso-time.ts";

/** Callbacks that the market may send. */
export const CALLBACK_ACTIONS = [
  "on_confirm",
  "on_discover",
  "on_select",
  "on_init",
  "on_update",
  "on_status",
  "on_track",
  "on_cancel",
  "on_rating",
  "on_support",
] as const;

export type CallbackAction = (typeof CALLBACK_ACTIONS)[number];

export function isCallbackAction(action: string): action is CallbackAction {
  return (CALLBACK_ACTIONS as readonly string[]).includes(action);
}

/** What a callback says about itself. */
export interface CallbackContext {
  readonly action: CallbackAction;
  readonly timestampMs: number;
  readonly messageId: string;
  readonly transactionId: string;
  readonly bapId: string;
  readonly bppId: string;
  /** How long after its timestamp the message may be acted on. */
  readonly ttlMs?: number;
}

/**
 * The context of a callback in the seed's dialect (names with underscores).
 * @throws Refusal naming the field
 */
export function callbackContext(body: unknown): CallbackContext {
  if (typeof body !== "object" || body === null || Array.isArray(body)) {
    throw new Refusal(400, "BODY_INVALID", "", "expected a JSON object with context and message");
  }
  const { context, message } = body as { context?: unknown; message?: unknown };
  if (isOtherDialect(context, message)) {
    const found = "context.bapId or message.contract";
    throw new Refusal(
      400,
      "DIALECT_UNKNOWN",
      "context",
      `${found}: only context.bap_id with message.order is read here`,
    );
  }
  if (typeof context !== "object" || context === null || Array.isArray(context)) {
    throw invalid("context", "expected an object");
  }
  const fields = context as Readonly<Record<string, unknown>>;
  const action = textField(fields, "action", MAX_ACTION_LENGTH);
  if (!isCallbackAction(action)) {
    throw new Refusal(404, "ACTION_UNKNOWN", "context.action", `"${action}" is not an action that is taken here`);
  }
  const timestampMs = instantMsFromText(textField(fields, "timestamp"));
  if (timestampMs === undefined) {
    throw invalid("context.timestamp", "expected an RFC 3339 time such as 2026-06-15T12:05:00Z");
  }
  const ttlMs = fields["ttl"] === undefined ? undefined : durationMsFromText(textField(fields, "ttl"));
  if (fields["ttl"] !== undefined && ttlMs === undefined) {
    throw invalid("context.ttl", "expected an ISO 8601 duration such as PT30S");
  }
  return {
    action,
    timestampMs,
    messageId: idField(fields, "message_id"),
    transactionId: idField(fields, "transaction_id"),
    bapId: idField(fields, "bap_id"),
    bppId: idField(fields, "bpp_id"),
    ...(ttlMs !== undefined && { ttlMs }),
  };
}

const MAX_ACTION_LENGTH = 64;
const MAX_TEXT_LENGTH = 256;
const ID = /^[\x21-\x7e]{1,128}$/;

// By hand and not by a schema: it stands before everything else, on the way of each setpoint.
function textField(fields: Readonly<Record<string, unknown>>, name: string, maxLength = MAX_TEXT_LENGTH): string {
  const value = fields[name];
  if (typeof value !== "string") {
    throw invalid(`context.${name}`, `expected string, received ${value === undefined ? "undefined" : typeof value}`);
  }
  if (value.length > maxLength) throw invalid(`context.${name}`, `expected at most ${maxLength} letters`);
  return value;
}

function idField(fields: Readonly<Record<string, unknown>>, name: string): string {
  const value = textField(fields, name);
  if (!ID.test(value)) throw invalid(`context.${name}`, "expected 1 to 128 visible ASCII letters");
  return value;
}

function invalid(path: string, fault: string): Refusal {
  return new Refusal(400, "CONTEXT_INVALID", path, fault);
}

/** The 2026 dialect also says version 2.0.0; only its names tell it apart. */
function isOtherDialect(context: unknown, message: unknown): boolean {
  const has = (value: unknown, key: string) => typeof value === "object" && value !== null && Object.hasOwn(value, key);
  return (has(context, "bapId") && !has(context, "bap_id")) || (has(message, "contract") && !has(message, "order"));
}

/** Who we are, and who the market is. */
export interface Parties {
  readonly bapId: string;
  /** Where callbacks reach us. */
  readonly bapUri: string;
  readonly bppId: string;
  readonly bppUri: string;
  /** For example `beckn.one:deg:ev-charging:*`. */
  readonly domain: string;
}

/** The context of a message that we send. */
export function requestContext(
  parties: Parties,
  message: { action: string; messageId: string; transactionId: string; nowMs: number; ttlMs: number },
): Record<string, string> {
  return {
    version: "2.0.0",
    action: message.action,
    domain: parties.domain,
    timestamp: textFromInstantMs(message.nowMs),
    message_id: message.messageId,
    transaction_id: message.transactionId,
    bap_id: parties.bapId,
    bap_uri: parties.bapUri,
    bpp_id: parties.bppId,
    bpp_uri: parties.bppUri,
    ttl: textFromDurationMs(message.ttlMs),
  };
}
