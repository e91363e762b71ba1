import { z } from "zod";
import { Refusal } from "./answer.ts";
import { durationMsFromText, instantMsFromText, textFromDurationMs, textFromInstantMs } from "./iso-time.ts";
import { zodFault } from "./zod-fault.ts";

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

const id = z.string().regex(/^[\x21-\x7e]{1,128}$/, "expected 1 to 128 visible ASCII letters");

const ContextSchema = z.object({
  action: z.string().max(64),
  timestamp: z.string().transform((text, issues) => {
    const instantMs = instantMsFromText(text);
    if (instantMs !== undefined) return instantMs;
    issues.addIssue({ code: "custom", message: "expected an RFC 3339 time such as 2026-06-15T12:05:00Z" });
    return z.NEVER;
  }),
  message_id: id,
  transaction_id: id,
  bap_id: id,
  bpp_id: id,
  domain: z.string().max(256).optional(),
  ttl: z
    .string()
    .transform((text, issues) => {
      const durationMs = durationMsFromText(text);
      if (durationMs !== undefined) return durationMs;
      issues.addIssue({ code: "custom", message: "expected an ISO 8601 duration such as PT30S" });
      return z.NEVER;
    })
    .optional(),
});

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
  const parsed = ContextSchema.safeParse(context);
  if (!parsed.success) {
    const { path, fault } = zodFault(parsed.error, ["context"], body);
    throw new Refusal(400, "CONTEXT_INVALID", path, fault);
  }
  const { action, timestamp, message_id, transaction_id, bap_id, bpp_id, ttl } = parsed.data;
  if (!isCallbackAction(action)) {
    throw new Refusal(404, "ACTION_UNKNOWN", "context.action", `"${action}" is not an action that is taken here`);
  }
  return {
    action,
    timestampMs: timestamp,
    messageId: message_id,
    transactionId: transaction_id,
    bapId: bap_id,
    bppId: bpp_id,
    ...(ttl !== undefined && { ttlMs: ttl }),
  };
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
