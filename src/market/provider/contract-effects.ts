import { WireFields } from "../wire-fields.ts";
import { addressOf, callbackTo } from "./callback.ts";
import { contractMessage, contractStateMessage, needsMessage } from "./contract-callbacks.ts";
import { contractOf, readAmendedOffers, readFlexContract } from "./contract-requests.ts";
import { type Effect, illegal, moved, opened } from "./effect.ts";
import type { MarketRules } from "./market-rules.ts";
import type { TransactionRecord } from "./provider-records.ts";
import type { ProviderRequest } from "./request.ts";

const MAX_PERFORMANCES = 20;

/**
 * What follows from a request in the dialect of 2026, where flexibility is offered for a need and cleared pay-as-clear
 * between `confirm` and `on_confirm`. @throws Refusal @throws Declined
 */
export function contractEffect(
  request: ProviderRequest,
  known: TransactionRecord | undefined,
  rules: MarketRules,
): Effect {
  const { action, body, context, nowMs } = request;
  switch (action) {
    case "discover": {
      const message = needsMessage(rules, nowMs);
      return { transactions: [], callbacks: [reply(request, addressOf(request), message, rules)] };
    }
    case "select":
    case "init": {
      const contract = contractOf(body);
      const record = known ?? opened(request, undefined);
      return {
        transactions: [touched(request, record)],
        callbacks: [reply(request, record, contractMessage(record, rules, contract), rules)],
      };
    }
    case "confirm": {
      const flex = readFlexContract(body, rules, nowMs);
      const base = known ?? opened(request, flex.needId);
      const id = flex.contract["id"];
      const record = touched(request, {
        ...base,
        era: flex.needId,
        state: moved(base, "confirm"),
        flex,
        committed: context.messageId,
        ...(request.signature !== undefined && { committedSignature: request.signature }),
        ...(typeof id === "string" && { orderId: id }),
      });
      return { transactions: [record], callbacks: [] };
    }
    case "update":
    case "on_status": {
      const record = amended(request, reported(request, required(known, action)), rules);
      if (action === "on_status") return { transactions: [record], callbacks: [] };
      return { transactions: [record], callbacks: [reply(request, record, contractStateMessage(record), rules)] };
    }
    case "status":
    case "track": {
      const record = required(known, action);
      return { transactions: [], callbacks: [reply(request, record, contractMessage(record, rules), rules)] };
    }
    case "cancel": {
      const base = required(known, action);
      const { committed: _committed, ...rest } = base;
      const record = touched(request, { ...rest, state: moved(base, "cancel") });
      return { transactions: [record], callbacks: [reply(request, record, contractStateMessage(record), rules)] };
    }
    case "rating":
    case "rate": {
      const message = WireFields.ofMessage(body);
      const rating = message.raw("ratings") ?? message.raw("rating") ?? message.raw("ratingInputs") ?? true;
      const record = { ...required(known, action), rating, updatedAtMs: nowMs };
      return {
        transactions: [record],
        callbacks: [reply(request, record, { ratingReceived: true, contract: { id: record.orderId } }, rules)],
      };
    }
    case "support":
      return { transactions: [], callbacks: [reply(request, addressOf(request), { support: rules.support }, rules)] };
    default:
      throw illegal(action, known?.state);
  }
}

function required(known: TransactionRecord | undefined, action: string): TransactionRecord {
  if (known === undefined) throw illegal(action, undefined);
  return known;
}

/** What was measured, as `contract.performance` has it. */
function reported({ body, context, nowMs }: ProviderRequest, known: TransactionRecord): TransactionRecord {
  const performance = contractOf(body)["performance"];
  const isNews = context.timestampMs >= known.reportedAtMs && Array.isArray(performance);
  if (!isNews) return { ...known, updatedAtMs: nowMs };
  const report = { atMs: nowMs, telemetry: performance.slice(-MAX_PERFORMANCES) };
  return { ...known, report, reportedAtMs: context.timestampMs, updatedAtMs: nowMs };
}

/** Until its need is cleared a contract takes newer offers; of two the one that was written later counts. */
function amended(request: ProviderRequest, record: TransactionRecord, rules: MarketRules): TransactionRecord {
  const { body, context, nowMs } = request;
  if (record.flex === undefined || context.timestampMs < record.orderedAtMs) return record;
  const flex = readAmendedOffers(body, record.flex, rules, nowMs);
  return flex === undefined ? record : touched(request, { ...record, flex });
}

function touched({ context, replyTo, nowMs }: ProviderRequest, record: TransactionRecord): TransactionRecord {
  return {
    ...record,
    replyTo,
    orderedAtMs: Math.max(record.orderedAtMs, context.timestampMs),
    updatedAtMs: nowMs,
  };
}

function reply(
  request: ProviderRequest,
  record: Parameters<typeof callbackTo>[0],
  message: object,
  rules: MarketRules,
) {
  const { action, context, nowMs, replyTo, signature } = request;
  const { messageId } = context;
  const callback = { action: `on_${action}`, messageId, message, nowMs, requestSignature: signature };
  return callbackTo({ ...record, replyTo }, rules, callback);
}
