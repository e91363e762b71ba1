import type { Clock } from "../clock.ts";
import type { NewOutboxItem } from "../store/control-store.ts";
import type { Envelope, Parties } from "./beckn-context.ts";
import { requestItem } from "./request-item.ts";

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

  constructor(clock: Clock, parties: Parties, envelope: Envelope) {
    this.#clock = clock;
    this.#parties = parties;
    this.#envelope = envelope;
  }

  /** A message as it waits in the outbox; it is signed when it leaves. */
  item(action: string, transactionId: string, message: object, rules: MessageRules): NewOutboxItem {
    const outgoing = { action, transactionId, message, envelope: this.#envelope, ...rules };
    return requestItem(this.#parties, outgoing, this.#clock.now());
  }
}
