import { randomUUID } from "node:crypto";
import type { Clock } from "../clock.ts";
import type { NewOutboxItem } from "../store/control-store.ts";
import type { Envelope, Parties } from "./beckn-context.ts";
import { requestItem } from "./request-item.ts";

/** Ids that are remembered; a site sends a few messages a minute. */
const MAX_WRITTEN = 1000;

/** What becomes of a message while it waits. */
export interface MessageRules {
  /** After this it is of no use to the market. */
  readonly ttlMs: number;
  /** A later message with the same key takes its place. */
  readonly replaceKey: string;
  /** Of the question that it answers; a new one unless given. */
  readonly messageId?: string;
  readonly envelope?: Envelope;
}

/** Puts our messages into their envelope, addressed to the market. */
export class MessageWriter {
  readonly #clock: Clock;
  readonly #parties: Parties;
  readonly #envelope: Envelope;
  readonly #written = new Set<string>();

  constructor(clock: Clock, parties: Parties, envelope: Envelope) {
    this.#clock = clock;
    this.#parties = parties;
    this.#envelope = envelope;
  }

  /** Whether a message with this id was written since the start; an answer carries the id of what it answers. */
  wrote(messageId: string): boolean {
    return this.#written.has(messageId);
  }

  /** A message as it waits in the outbox; it is signed when it leaves. */
  item(action: string, transactionId: string, message: object, rules: MessageRules): NewOutboxItem {
    const { messageId = randomUUID() } = rules;
    this.#written.add(messageId);
    const [oldest] = this.#written;
    if (this.#written.size > MAX_WRITTEN && oldest !== undefined) this.#written.delete(oldest);
    const outgoing = { action, transactionId, message, envelope: this.#envelope, ...rules, messageId };
    return requestItem(this.#parties, outgoing, this.#clock.now());
  }
}
