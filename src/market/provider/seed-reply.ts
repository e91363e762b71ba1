import { callbackTo } from "./callback.ts";
import type { Effect } from "./effect.ts";
import type { MarketRules } from "./market-rules.ts";
import type { TransactionRecord } from "./provider-records.ts";
import type { ProviderRequest } from "./request.ts";

/** Newest word of the participant about what is traded. */
export function touched(
  { context, replyTo, bapUri, nowMs }: ProviderRequest,
  record: TransactionRecord,
): TransactionRecord {
  return {
    ...record,
    replyTo,
    ...(bapUri !== undefined && { bapUri }),
    orderedAtMs: Math.max(record.orderedAtMs, context.timestampMs),
    updatedAtMs: nowMs,
  };
}

/** An effect that answers, and stores what it is given. */
export function answer(
  request: ProviderRequest,
  record: TransactionRecord,
  message: object,
  rules: MarketRules,
  transactions: readonly TransactionRecord[] = [],
): Effect {
  return { transactions, callbacks: [reply(request, record, message, rules)] };
}

/** The callback to a request, to where the request came from. */
export function reply(
  request: ProviderRequest,
  record: Parameters<typeof callbackTo>[0],
  message: object,
  rules: MarketRules,
  ttlMs?: number,
) {
  const { action, context, nowMs, replyTo, signature } = request;
  return callbackTo({ ...record, replyTo }, rules, {
    action: `on_${action}`,
    messageId: context.messageId,
    message,
    nowMs,
    requestSignature: signature,
    ...(ttlMs !== undefined && { ttlMs }),
  });
}
