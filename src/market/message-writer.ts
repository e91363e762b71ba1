import { randomUUID } from "node:crypto";
import type { Clock } from "../clock.ts";
import type { NewOutboxItem } from "../store/control-store.ts";
import { type Envelope, type Parties, requestContext } from "./beckn-context.ts";

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
    const { ttlMs, replaceKey, messageId = randomUUID(), envelope = this.#envelope } = rules;
    const nowMs = this.#clock.now();
    // As a provider of data we speak from the other end, so the two change places.
    const from = action === "on_status" ? swapped(this.#parties) : this.#parties;
    const context = requestContext(from, { action, messageId, transactionId, nowMs, ttlMs }, envelope);
    return {
      action,
      url: `${this.#parties.bppUri.replace(/\/+$/, "")}/${action}`,
      body: JSON.stringify({ context, message }),
      replaceKey,
      createdAtMs: nowMs,
      // The message says itself for how long it counts; after that it would only be refused.
      expiresAtMs: nowMs + ttlMs,
    };
  }
}

function swapped(parties: Parties): Parties {
  const { bapId, bapUri, bppId, bppUri } = parties;
  return { ...parties, bapId: bppId, bapUri: bppUri, bppId: bapId, bppUri: bapUri };
}
