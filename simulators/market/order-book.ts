import { randomUUID } from "node:crypto";
import { Refusal } from "./answer.ts";
import type { CurveBid, Objectives } from "./curve-bid.ts";
import type { RequestContext } from "./request-context.ts";

/** Most transactions that are known at a time, open and closed. */
const MAX_TRANSACTIONS = 10_000;
/** Market gates in a row without a confirm after which a participant counts as gone. */
const MAX_MISSED_GATES = 20;

/** What was offered to one participant at one market gate. kW, export positive. */
export interface Offer {
  readonly offerId: string;
  readonly round: number;
  readonly pricePerKWh: number;
  readonly setpointKW: number;
  confirmed: boolean;
}

/** One resource's dealings with the market, from its `discover` to its end. */
export interface Transaction {
  readonly transactionId: string;
  readonly bapId: string;
  readonly era: string;
  readonly orderId: string;
  bapUri: string;
  domain: string;
  points: CurveBid["points"];
  objectives: Objectives | undefined;
  open: boolean;
  offer: Offer | undefined;
  /** The last setpoint that was confirmed, as it was sent. */
  order: ConfirmedOrder | undefined;
  missedGates: number;
  /** Id of the `discover` that still waits for its answer. */
  unanswered: string | undefined;
}

export interface ConfirmedOrder {
  readonly setpointKW: number;
  readonly pricePerKWh: number;
  /** Wall time, epoch ms. */
  readonly validFromMs: number;
  readonly validUntilMs: number;
}

/** All transactions. At most one is open for a participant's resource: a newer `discover` closes the one before it. */
export class OrderBook {
  readonly #transactions = new Map<string, Transaction>();

  open(): Transaction[] {
    return [...this.#transactions.values()].filter((transaction) => transaction.open);
  }

  /** @throws Refusal if the transaction is closed, belongs to another resource, or there is no room */
  discover(context: RequestContext, bid: CurveBid & { readonly era: string }): Transaction {
    const key = keyOf(context);
    const known = this.#transactions.get(key);
    if (known !== undefined) {
      if (!known.open) throw closed(known);
      revise(known, context, bid);
      known.unanswered = context.message_id;
      return known;
    }
    this.#makeRoom();
    for (const other of this.open()) {
      if (other.bapId === context.bap_id && other.era === bid.era) other.open = false;
    }
    const transaction: Transaction = {
      transactionId: context.transaction_id,
      bapId: context.bap_id,
      era: bid.era,
      orderId: `order-${randomUUID()}`,
      bapUri: context.bap_uri,
      domain: domainOf(context),
      points: bid.points,
      objectives: bid.objectives,
      open: true,
      offer: undefined,
      order: undefined,
      missedGates: 0,
      unanswered: context.message_id,
    };
    this.#transactions.set(key, transaction);
    return transaction;
  }

  /** Takes a newer curve for an open transaction. @throws Refusal */
  revise(context: RequestContext, bid: CurveBid): Transaction {
    const transaction = this.find(context);
    if (!transaction.open) throw closed(transaction);
    revise(transaction, context, bid);
    return transaction;
  }

  /** @throws Refusal if the participant has no such transaction */
  find(context: RequestContext): Transaction {
    const transaction = this.#transactions.get(keyOf(context));
    if (transaction !== undefined) return transaction;
    throw new Refusal(
      404,
      "TRANSACTION_UNKNOWN",
      "context.transaction_id",
      `${context.bap_id} has no transaction ${context.transaction_id} here`,
    );
  }

  /** Counts a gate that passed without a confirm; a participant that is gone for long is no longer cleared. */
  missed(transaction: Transaction): void {
    transaction.missedGates += 1;
    if (transaction.missedGates >= MAX_MISSED_GATES) transaction.open = false;
  }

  #makeRoom(): void {
    if (this.#transactions.size < MAX_TRANSACTIONS) return;
    for (const [key, transaction] of this.#transactions) {
      if (transaction.open) continue;
      this.#transactions.delete(key);
      return;
    }
    throw new Refusal(503, "TOO_MANY", "", `${MAX_TRANSACTIONS} transactions are open; no room for another`);
  }
}

export function closed(transaction: Transaction): Refusal {
  return new Refusal(
    400,
    "TRANSACTION_CLOSED",
    "context.transaction_id",
    `transaction ${transaction.transactionId} of ${transaction.era} is closed; start another with discover`,
  );
}

function revise(transaction: Transaction, context: RequestContext, bid: CurveBid): void {
  if (bid.era !== undefined && bid.era !== transaction.era) {
    throw new Refusal(
      400,
      "MESSAGE_INVALID",
      "message",
      `transaction ${transaction.transactionId} is about ${transaction.era}, not ${bid.era}`,
    );
  }
  transaction.bapUri = context.bap_uri;
  transaction.domain = domainOf(context);
  transaction.points = bid.points;
  transaction.objectives = bid.objectives ?? transaction.objectives;
  transaction.missedGates = 0;
}

function domainOf(context: RequestContext): string {
  return context.domain ?? "beckn.one:deg:energy-coordination:*";
}

function keyOf(context: RequestContext): string {
  return `${context.bap_id}|${context.transaction_id}`;
}
