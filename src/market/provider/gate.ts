import { randomUUID } from "node:crypto";
import { BidError, type ClearingRules } from "../../clearing/clearing-types.ts";
import { GridError } from "../../clearing/grid/grid-error.ts";
import type { ClearedNode, ClearGrid, GridClearingResult, GridParticipant } from "../../clearing/grid-types.ts";
import { callbackTo } from "./callback.ts";
import { clearedOrder, moved, running, without } from "./effect.ts";
import type { GatedInterval } from "./gate-times.ts";
import type { NodeState } from "./grid-node-item.ts";
import type { MarketRules } from "./market-rules.ts";
import type {
  Allotment,
  ClearedOrder,
  NewCallback,
  Offer,
  Order,
  ProviderChange,
  TransactionRecord,
} from "./provider-records.ts";
import { catalogMessage, orderMessage } from "./seed-callbacks.ts";

/** What one gate does, to be stored as a whole; and what could not take part. */
export interface GateOutcome {
  readonly change: ProviderChange;
  /** Price of the round; absent if nothing trades. */
  readonly pricePerKWh?: number;
  readonly bids: number;
  /** Why nothing could be cleared at all: the grid itself is at fault. */
  readonly failure?: string;
  /** Bids that can't be cleared, with the reason; their transactions are over. */
  readonly faulty: readonly { readonly record: TransactionRecord; readonly reason: string }[];
}

/** Bids that a round leaves out because of a fault, at most; with more the market itself is at fault. */
const MAX_FAULTY = 100;

/**
 * Closes the gate of one interval: clears what is bid and says what each participant gets.
 *
 * With `offerThenConfirm` all standing bids take part and each gets an offer. With `clearAtConfirm` those that committed
 * take part, and each gets its order.
 */
export function closeGate(
  open: Iterable<TransactionRecord>,
  interval: GatedInterval,
  rules: MarketRules,
  clearGrid: ClearGrid,
  now: { readonly nowMs: number; readonly lastPricePerKWh?: number },
): GateOutcome {
  const { nowMs, lastPricePerKWh } = now;
  const roundId = `interval-${new Date(interval.validFromMs).toISOString()}`;
  const isCommitted = rules.discovery === "clearAtConfirm";
  const bidders = [...open].filter(({ flex, bid, committed, state }) => {
    if (flex !== undefined || bid === undefined) return false;
    // Who is bound for an interval to come already is not asked again.
    return isCommitted ? committed !== undefined : state !== "CONFIRMED";
  });
  const clearingRules: ClearingRules = {
    ...rules.clearing,
    ...(lastPricePerKWh !== undefined && { lastPricePerKWh }),
    rampWindowMs: Math.max(0, interval.validFromMs - nowMs),
  };
  const { result, taken, faulty, failure } = clearSound(bidders, rules, clearingRules, clearGrid);
  const nodes = new Map(result.nodes.map((node) => [node.era, node]));
  const transactions: TransactionRecord[] = [];
  const callbacks: NewCallback[] = [];
  const orders: ClearedOrder[] = [];
  for (const [index, record] of taken.entries()) {
    const node = nodes.get(rules.resources.get(record.era)?.node ?? "");
    const pricePerKWh = node?.pricePerKWh ?? result.pricePerKWh;
    const allotment: Allotment = {
      roundId,
      powerKW: result.setpoints[index]?.powerKW ?? 0,
      ...(pricePerKWh !== undefined && { pricePerKWh }),
      ...(result.pricePerKWh !== undefined && { marketPricePerKWh: result.pricePerKWh }),
      ...(node && { node: stateOf(node) }),
      validFromMs: interval.validFromMs,
      validUntilMs: interval.validUntilMs,
    };
    const given = isCommitted ? ordered(record, allotment, rules, nowMs) : offered(record, allotment, rules, nowMs);
    transactions.push(given.record);
    callbacks.push(...given.callbacks);
    orders.push(...given.orders);
  }
  for (const { record } of faulty) {
    const over: TransactionRecord = {
      ...without(record, "bid", "offer", "committed"),
      state: "EXPIRED",
      updatedAtMs: nowMs,
    };
    transactions.push(over);
  }
  const named = taken.map(({ bapId, transactionId, era }, index) => ({
    bapId,
    transactionId,
    era,
    powerKW: result.setpoints[index]?.powerKW ?? 0,
  }));
  const { currency } = rules.dialect;
  const { validFromMs, validUntilMs } = interval;
  const round = {
    roundId,
    validFromMs,
    validUntilMs,
    closedAtMs: nowMs,
    currency,
    bids: taken.length,
    result: { ...result, setpoints: named, ...(failure !== undefined && { failure }) },
  };
  return {
    change: { transactions, callbacks, orders, round },
    ...(result.pricePerKWh !== undefined && { pricePerKWh: result.pricePerKWh }),
    bids: taken.length,
    faulty,
    ...(failure !== undefined && { failure }),
  };
}

function stateOf({ era, pricePerKWh, adderPerKWh, flowKW }: ClearedNode): NodeState {
  return { era, ...(pricePerKWh !== undefined && { pricePerKWh }), adderPerKWh, flowKW };
}

interface Given {
  readonly record: TransactionRecord;
  readonly callbacks: readonly NewCallback[];
  readonly orders: readonly ClearedOrder[];
}

function offered(record: TransactionRecord, allotment: Allotment, rules: MarketRules, nowMs: number): Given {
  const messageId = record.unanswered ?? randomUUID();
  if (allotment.pricePerKWh === undefined) {
    // Nothing trades: only who has waited for an answer gets one.
    if (record.unanswered === undefined) return { record, callbacks: [], orders: [] };
    const answered = { ...without(record, "unanswered", "offer"), updatedAtMs: nowMs };
    const message = catalogMessage(answered, rules);
    const callback = callbackTo(answered, rules, { action: "on_discover", messageId, message, nowMs });
    return { record: answered, callbacks: [callback], orders: [] };
  }
  const confirmByMs = nowMs + rules.confirmWithinMs;
  const offer: Offer = { ...allotment, offerId: `${allotment.roundId}/${record.transactionId}`, confirmByMs };
  const next = { ...without(record, "unanswered"), state: moved(record, "offer"), offer, updatedAtMs: nowMs };
  const callback = callbackTo(next, rules, {
    action: "on_discover",
    messageId,
    message: catalogMessage(next, rules),
    nowMs,
    ttlMs: rules.confirmWithinMs,
  });
  return { record: next, callbacks: [callback], orders: [] };
}

function ordered(record: TransactionRecord, allotment: Allotment, rules: MarketRules, nowMs: number): Given {
  const order: Order = { ...allotment, confirmedAtMs: nowMs };
  const next = { ...without(record, "committed"), ...running(record, nowMs), order, updatedAtMs: nowMs };
  const callback = callbackTo(next, rules, {
    action: "on_confirm",
    messageId: record.committed ?? randomUUID(),
    message: orderMessage(next, rules, order),
    nowMs,
    ttlMs: Math.max(order.validUntilMs - nowMs, 1000),
  });
  return { record: next, callbacks: [callback], orders: [clearedOrder(next, order)] };
}

interface Cleared {
  readonly result: GridClearingResult;
  readonly taken: readonly TransactionRecord[];
  readonly faulty: GateOutcome["faulty"];
  readonly failure?: string;
}

/** What a round has for its result when the grid can't be cleared: nobody gets anything. */
const NOTHING: GridClearingResult = { status: "EMPTY", clearedKW: 0, setpoints: [], nodes: [], unmetKW: 0 };

/** One bid that can't be cleared must not cost the others their round. */
function clearSound(
  bidders: readonly TransactionRecord[],
  rules: MarketRules,
  clearingRules: ClearingRules,
  clearGrid: ClearGrid,
): Cleared {
  const faulty: { record: TransactionRecord; reason: string }[] = [];
  let taken = bidders;
  for (;;) {
    try {
      const participants = taken.map((record, index) => participantOf(record, index, rules));
      return { result: clearGrid(rules.nodes, participants, clearingRules), taken, faulty };
    } catch (error) {
      if (error instanceof GridError) return { result: NOTHING, taken: [], faulty, failure: error.message };
      const index = error instanceof BidError ? indexOf(error.era) : undefined;
      const record = index === undefined ? undefined : taken[index];
      if (record === undefined || faulty.length >= MAX_FAULTY) throw error;
      faulty.push({ record, reason: (error as BidError).message });
      taken = taken.filter((one) => one !== record);
    }
  }
}

/** Two participants may bid for resources of the same name, so a number stands for each bid in the clearing. */
function participantOf(record: TransactionRecord, index: number, rules: MarketRules): GridParticipant {
  const { bid, era } = record;
  if (bid === undefined) throw new RangeError("only a transaction with a bid can be cleared");
  const { node, priority } = rules.resources.get(era) ?? {};
  return {
    era: `bid-${index}`,
    curve: bid.curve,
    bounds: bid.bounds,
    submittedAtMs: bid.submittedAtMs,
    ...(node !== undefined && { node }),
    ...(priority !== undefined && { priority }),
  };
}

function indexOf(name: string): number | undefined {
  const match = /^bid-(\d+)$/.exec(name);
  return match === null ? undefined : Number(match[1]);
}
