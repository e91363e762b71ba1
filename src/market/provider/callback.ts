import { requestContext } from "../beckn-context.ts";
import { textFromDurationMs, textFromInstantMs } from "../iso-time.ts";
import type { MarketRules } from "./market-rules.ts";
import type { NewCallback, TransactionRecord } from "./provider-records.ts";
import type { ProviderRequest } from "./request.ts";

/** How long a callback is of use that says nothing about a certain time. */
export const CALLBACK_TTL_MS = 300_000;

/** What a callback is about: enough of a transaction or of a request to address it. */
export type Addressed = Pick<TransactionRecord, "transactionId" | "bapId" | "envelope" | "replyTo"> &
  Partial<Pick<TransactionRecord, "bapUri" | "domain" | "networkId">>;

/** The address of a request that belongs to no transaction. */
export function addressOf({ context, bapId, bapUri, replyTo }: ProviderRequest): Addressed {
  const { transactionId, envelope, domain, networkId } = context;
  return {
    transactionId,
    bapId,
    envelope,
    replyTo,
    ...(bapUri !== undefined && { bapUri }),
    ...(domain !== undefined && { domain }),
    ...(networkId !== undefined && { networkId }),
  };
}

/** One message to a participant, in the envelope in which it speaks. A solicited one carries the request's message id. */
export function callbackTo(
  to: Addressed,
  rules: MarketRules,
  callback: {
    readonly action: string;
    readonly messageId: string;
    readonly message: object;
    readonly nowMs: number;
    /** How long it is of use; 5 min unless told. */
    readonly ttlMs?: number;
    /** Base64 signature of the request that it answers; only in the camel envelope does an answer cover it. */
    readonly requestSignature?: string | undefined;
  },
): NewCallback {
  const { action, messageId, message, nowMs, ttlMs = CALLBACK_TTL_MS, requestSignature } = callback;
  const context = contextOf(to, rules, { action, messageId, transactionId: to.transactionId, nowMs, ttlMs });
  return {
    action,
    to: to.replyTo,
    body: JSON.stringify({ context, message }),
    lane: `${to.bapId}|${to.transactionId}`,
    expiresAtMs: nowMs + ttlMs,
    ...(to.envelope === "camel" && requestSignature !== undefined && { requestSignature }),
  };
}

function contextOf(
  to: Addressed,
  rules: MarketRules,
  message: { action: string; messageId: string; transactionId: string; nowMs: number; ttlMs: number },
): Record<string, string> {
  const { subscriberId: bppId, subscriberUri: bppUri } = rules;
  const { bapId, bapUri = "" } = to;
  if (to.envelope === "snake") {
    return requestContext({ bapId, bapUri, bppId, bppUri, domain: to.domain ?? "" }, message);
  }
  return {
    version: "2.0.0",
    action: message.action,
    ...(to.networkId !== undefined && { networkId: to.networkId }),
    ...(to.domain !== undefined && { domain: to.domain }),
    timestamp: textFromInstantMs(message.nowMs),
    messageId: message.messageId,
    transactionId: message.transactionId,
    bapId,
    bapUri,
    bppId,
    bppUri,
    ttl: textFromDurationMs(message.ttlMs),
  };
}
