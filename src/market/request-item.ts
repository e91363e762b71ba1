import { randomUUID } from "node:crypto";
import type { NewOutboxItem } from "../store/control-store.ts";
import { type Envelope, type Parties, requestContext } from "./beckn-context.ts";

/** A message to the market before it has a context. */
export interface OutgoingMessage {
  readonly action: string;
  readonly transactionId: string;
  readonly message: object;
  readonly envelope: Envelope;
  /** How long it is of use; the message says so itself, and after that it would only be refused. */
  readonly ttlMs: number;
  readonly replaceKey?: string;
  /** A new one unless given. */
  readonly messageId?: string;
}

/** The message with its context, as it waits in the outbox. As a provider of data (`on_status`) we speak from the other end. */
export function requestItem(parties: Parties, outgoing: OutgoingMessage, nowMs: number): NewOutboxItem {
  const { action, transactionId, message, envelope, ttlMs, replaceKey, messageId = randomUUID() } = outgoing;
  const from = action.startsWith("on_") ? swapped(parties) : parties;
  const context = requestContext(from, { action, messageId, transactionId, nowMs, ttlMs }, envelope);
  return {
    action,
    url: `${parties.bppUri.replace(/\/+$/, "")}/${action}`,
    body: JSON.stringify({ context, message }),
    ...(replaceKey !== undefined && { replaceKey }),
    createdAtMs: nowMs,
    expiresAtMs: nowMs + ttlMs,
  };
}

function swapped(parties: Parties): Parties {
  const { bapId, bapUri, bppId, bppUri } = parties;
  return { ...parties, bapId: bppId, bapUri: bppUri, bppId: bapId, bppUri: bapUri };
}
