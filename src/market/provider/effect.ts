import { Declined } from "./declined.ts";
import type { ClearedOrder, NewCallback, Order, TransactionRecord } from "./provider-records.ts";
import type { ProviderRequest } from "./request.ts";
import { stateAfter, type TransactionEvent, type TransactionState } from "./transaction.ts";

/** What follows from one request; stored together with it. */
export interface Effect {
  readonly transactions: readonly TransactionRecord[];
  readonly callbacks: readonly NewCallback[];
  readonly orders?: readonly ClearedOrder[];
}

/** The state after an event. @throws Declined naming the state where the event is not possible in it */
export function moved(record: TransactionRecord | undefined, event: TransactionEvent): TransactionState {
  const state = stateAfter(record?.state, event);
  if (state === undefined) throw illegal(event, record?.state);
  return state;
}

/** A request that is not taken in the present state of its transaction. */
export function illegal(action: string, state: TransactionState | undefined): Declined {
  if (state === undefined) {
    return new Declined(
      "TRANSACTION_UNKNOWN",
      "context.transaction_id",
      `${action}: there is no such transaction here`,
    );
  }
  return new Declined("STATE_ILLEGAL", "context.action", `${action} is not possible: the transaction is ${state}`);
}

/** The first record of a transaction. */
export function opened(request: ProviderRequest, era: string | undefined): TransactionRecord {
  const { context, bapId, bapUri, replyTo, nowMs } = request;
  const { transactionId, envelope, domain, networkId } = context;
  return {
    transactionId,
    bapId,
    envelope,
    replyTo,
    ...(bapUri !== undefined && { bapUri }),
    ...(domain !== undefined && { domain }),
    ...(networkId !== undefined && { networkId }),
    state: "DISCOVERED",
    era: era ?? transactionId,
    eraGiven: era !== undefined,
    orderId: `order-${transactionId}`,
    missedOffers: 0,
    orderedAtMs: context.timestampMs,
    reportedAtMs: Number.MIN_SAFE_INTEGER,
    updatedAtMs: nowMs,
  };
}

/** The order as it is kept for settlement. */
export function clearedOrder(record: TransactionRecord, order: Order, cancelledAtMs?: number): ClearedOrder {
  const { bapId, transactionId, orderId, era } = record;
  return { ...order, bapId, transactionId, orderId, era, ...(cancelledAtMs !== undefined && { cancelledAtMs }) };
}

/** A record without some of its optional parts. */
export function without<K extends "offer" | "bid" | "unanswered" | "committed">(
  record: TransactionRecord,
  ...names: readonly K[]
): TransactionRecord {
  const copy: Partial<TransactionRecord> = { ...record };
  for (const name of names) delete (copy as Partial<Record<K, unknown>>)[name];
  return copy as TransactionRecord;
}

/** The order that still runs while a newer one takes its place, to be kept beside it. */
export function running({ order }: TransactionRecord, nowMs: number): { readonly running?: Order } {
  return order !== undefined && order.validUntilMs > nowMs ? { running: order } : {};
}
