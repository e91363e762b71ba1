import { randomUUID } from "node:crypto";
import { type Clock, DeadlineError, withDeadline } from "../clock.ts";
import type { Era } from "../model/resource.ts";
import type { ControlStore, OutboxItem } from "../store/control-store.ts";
import type { CallbackContext, Envelope, Parties } from "./beckn-context.ts";
import type { FlexNeed } from "./dialects/deg-messages.ts";
import { type OrderAction, type OrderQuestion, orderQuestion, wireAction } from "./dialects/order-questions.ts";
import type { DialectName } from "./dialects/outgoing.ts";
import { requestItem } from "./request-item.ts";

/** Questions that may wait for the market at the same time. */
const MAX_WAITING = 100;

export interface OrderDeskOptions {
  readonly store: Pick<ControlStore, "commit">;
  readonly clock: Clock;
  readonly parties: Parties;
  readonly dialect: DialectName;
  readonly need?: FlexNeed | undefined;
  /** The transaction of a resource: of the order that runs, else of its bid. */
  readonly transactionOf: (era: Era) => { readonly transactionId: string; readonly orderId?: string } | undefined;
  /** Something was queued for the market. */
  readonly kick: () => void;
}

/** What came of a question. */
export type OrderReply =
  | { readonly kind: "no order" }
  | { readonly kind: "busy" }
  /** It waits in the outbox until the market takes it. */
  | { readonly kind: "asked"; readonly action: string; readonly transactionId: string }
  | { readonly kind: "answered"; readonly action: string; readonly transactionId: string; readonly message: unknown }
  /** Not taken, as things stand. */
  | { readonly kind: "refused"; readonly action: string; readonly transactionId: string; readonly reason: string };

type Outcome = { readonly message: unknown } | { readonly refusal: string };

interface Waiting {
  readonly messageId: string;
  readonly transactionId: string;
  readonly callback: string;
  readonly resolve: (outcome: Outcome) => void;
}

/**
 * A person's questions about orders: where one stands, that it be cancelled, how good it was. They go the way of all
 * messages, through the outbox, and what follows from an answer (a cancelled order releases its device) happens where all
 * callbacks are taken. Here the answer is only shown to who asked.
 */
export class OrderDesk {
  readonly #options: OrderDeskOptions;
  readonly #waiting = new Set<Waiting>();

  constructor(options: OrderDeskOptions) {
    this.#options = options;
  }

  /** @param waitMs how long to wait for the market's answer */
  async ask(action: OrderAction, question: OrderQuestion, waitMs: number, signal: AbortSignal): Promise<OrderReply> {
    const { store, clock, parties, dialect, need, transactionOf, kick } = this.#options;
    // What is offered can be asked at any time, and opens a transaction of its own.
    const known = action === "select" ? { transactionId: randomUUID() } : transactionOf(question.era);
    if (known === undefined) return { kind: "no order" };
    if (this.#waiting.size >= MAX_WAITING) return { kind: "busy" };
    const { transactionId, orderId }: { transactionId: string; orderId?: string } = known;
    const wire = wireAction(action, dialect);
    const messageId = randomUUID();
    const envelope: Envelope = dialect === "deg" ? "camel" : "snake";
    const asked = { ...question, ...(orderId !== undefined && { orderId }) };
    const message = orderQuestion(action, asked, dialect, need);
    const outgoing = { action: wire, transactionId, messageId, message, envelope, ttlMs: Math.max(waitMs, 30_000) };
    const answered = this.#expect(messageId, transactionId, `on_${wire}`);
    try {
      await store.commit({ outbox: [requestItem(parties, outgoing, clock.now())] });
      kick();
      const outcome = await withDeadline(clock, waitMs, signal, () => answered.outcome);
      const about = { action: wire, transactionId };
      if ("refusal" in outcome) return { kind: "refused", ...about, reason: outcome.refusal };
      return { kind: "answered", ...about, message: outcome.message };
    } catch (error) {
      if (error instanceof DeadlineError) return { kind: "asked", action: wire, transactionId };
      throw error;
    } finally {
      this.#waiting.delete(answered.waiting);
    }
  }

  /** A callback that was taken; it may be the answer that somebody waits for. */
  answered({ action, messageId, transactionId }: CallbackContext, body: unknown): void {
    // An answer should carry the id of the question, but samples in use make a new one: the transaction finds those.
    const mine = [...this.#waiting].filter((one) => one.callback === action && one.transactionId === transactionId);
    const waiting = mine.find((one) => one.messageId === messageId) ?? mine[0];
    waiting?.resolve({ message: (body as { message?: unknown }).message });
  }

  /** A message that the market refused; it may be a question of ours. */
  refused(item: Pick<OutboxItem, "body">, reason: string): void {
    for (const waiting of this.#waiting) {
      if (item.body.includes(waiting.messageId)) waiting.resolve({ refusal: reason });
    }
  }

  #expect(messageId: string, transactionId: string, callback: string): { waiting: Waiting; outcome: Promise<Outcome> } {
    let resolve: (outcome: Outcome) => void = () => {};
    const outcome = new Promise<Outcome>((done) => {
      resolve = done;
    });
    const waiting = { messageId, transactionId, callback, resolve };
    this.#waiting.add(waiting);
    return { waiting, outcome };
  }
}
