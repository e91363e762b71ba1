import { addressOf } from "./callback.ts";
import { clearedOrder, type Effect, illegal, moved, without } from "./effect.ts";
import type { MarketRules } from "./market-rules.ts";
import type { LastReport, TransactionRecord } from "./provider-records.ts";
import type { ProviderRequest } from "./request.ts";
import { bidOf } from "./seed-bid.ts";
import { bidEffect } from "./seed-bid-effect.ts";
import { orderMessage, statusMessage } from "./seed-callbacks.ts";
import { commitEffect, confirmEffect } from "./seed-confirm-effect.ts";
import { answer, reply, touched } from "./seed-reply.ts";
import { readSeedIntent, readSeedOrderRequest, type SeedRequest } from "./seed-requests.ts";
import type { TransactionBook } from "./transaction-book.ts";

/** What follows from a request in the seed's dialect. @throws Refusal @throws Declined */
export function seedEffect(
  request: ProviderRequest,
  known: TransactionRecord | undefined,
  book: TransactionBook,
  rules: MarketRules,
): Effect {
  const { action, body, bapId } = request;
  if (action === "discover") return bidEffect(request, readSeedIntent(body, rules.dialect), known, book, rules);
  const read = readSeedOrderRequest(body, rules.dialect, bapId);
  switch (action) {
    case "select":
    case "init":
      return bidEffect(request, read, known, book, rules);
    case "confirm":
      if (rules.discovery === "clearAtConfirm") return commitEffect(request, read, known, book, rules);
      return confirmEffect(request, read, required(known, action), rules);
    case "update":
    case "on_status":
      return reportEffect(request, read, required(known, action), rules);
    case "status":
    case "track": {
      const record = required(known, action);
      return answer(request, record, statusMessage(record, rules), rules);
    }
    case "cancel":
      return cancelEffect(request, required(known, action), rules);
    case "rating":
    case "rate": {
      const record = touched(request, { ...required(known, action), rating: read.rating ?? true });
      return answer(request, record, { order: { "beckn:id": record.orderId }, ratingReceived: true }, rules, [record]);
    }
    case "support":
      return {
        transactions: [],
        callbacks: [reply(request, addressOf(request), { support: rules.support }, rules)],
      };
    default:
      throw illegal(action, known?.state);
  }
}

function required(known: TransactionRecord | undefined, action: string): TransactionRecord {
  if (known === undefined) throw illegal(action, undefined);
  return known;
}

/** Telemetry, a verdict, a new curve: each is taken where it is newer than what is known. */
function reportEffect(
  request: ProviderRequest,
  read: SeedRequest,
  known: TransactionRecord,
  rules: MarketRules,
): Effect {
  const { context, nowMs, action } = request;
  const isNews = context.timestampMs >= known.reportedAtMs;
  const verdict = read.verdict ?? known.report?.verdict;
  const telemetry = read.telemetry ?? known.report?.telemetry;
  const report: LastReport = {
    atMs: nowMs,
    ...(telemetry !== undefined && { telemetry }),
    ...(verdict !== undefined && { verdict }),
  };
  const bid = context.timestampMs >= known.orderedAtMs ? bidOf(request, read, rules) : undefined;
  const takesBid = bid !== undefined && known.bid !== undefined;
  const record: TransactionRecord = {
    ...known,
    ...(isNews && { report, reportedAtMs: context.timestampMs }),
    ...(takesBid && { bid }),
    updatedAtMs: nowMs,
  };
  if (action === "on_status") return { transactions: [record], callbacks: [] };
  return answer(request, record, orderMessage(record, rules), rules, [record]);
}

/** The order ends, and the next clearing leaves the bid out. */
function cancelEffect(request: ProviderRequest, known: TransactionRecord, rules: MarketRules): Effect {
  const { nowMs } = request;
  const record = touched(request, {
    ...without(known, "bid", "offer", "unanswered", "committed"),
    state: moved(known, "cancel"),
  });
  const binding = [known.order, known.running].filter((order) => order !== undefined && order.validUntilMs > nowMs);
  return {
    ...answer(request, record, orderMessage(record, rules), rules, [record]),
    orders: binding.flatMap((order) => (order === undefined ? [] : [clearedOrder(record, order, nowMs)])),
  };
}
