import type { Reading } from "../model/reading.ts";
import type { ControlChange, MemoryEntry, ReceivedMessage, SentSignature } from "./control-store.ts";

/** What the main thread asks of the store's thread. Plain data, since it crosses threads. */
export type Job =
  | { readonly op: "receive"; readonly message: ReceivedMessage; readonly change: ControlChange }
  | { readonly op: "commit"; readonly change: ControlChange }
  | { readonly op: "findReceived"; readonly senderId: string; readonly messageId: string }
  | { readonly op: "findContract"; readonly transactionId: string }
  | { readonly op: "findContractByOrder"; readonly orderId: string }
  | { readonly op: "openSetpoints"; readonly nowMs: number }
  | { readonly op: "recentSetpoints"; readonly limit: number }
  | { readonly op: "objectives" }
  | { readonly op: "dueOutbox"; readonly nowMs: number; readonly limit: number }
  | { readonly op: "removeOutbox"; readonly id: number; readonly sent?: SentSignature | undefined }
  | { readonly op: "sentSignatures"; readonly limit: number }
  | { readonly op: "retryOutbox"; readonly id: number; readonly attempts: number; readonly nextAttemptMs: number }
  | { readonly op: "outboxSize" }
  | { readonly op: "remember"; readonly entry: MemoryEntry }
  | { readonly op: "forget"; readonly adapter: string; readonly key: string }
  | { readonly op: "memories" }
  | { readonly op: "prune"; readonly nowMs: number }
  | { readonly op: "readings"; readonly readings: readonly Reading[] }
  | { readonly op: "recentReadings"; readonly era: string; readonly limit: number };

export interface Batch {
  readonly batch: number;
  readonly jobs: readonly Job[];
}

export type JobResult = { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly error: string };

/** `ready` once both databases are open; `failed` if they could not be. */
export type StoreAnswer =
  | { readonly kind: "ready" }
  | { readonly kind: "failed"; readonly error: string }
  | { readonly kind: "done"; readonly batch: number; readonly results: readonly JobResult[] };

export interface StoreOptions {
  readonly controlFile: string;
  readonly telemetryFile: string;
  /** Bytes at which the oldest telemetry makes room. */
  readonly telemetryMaxBytes: number;
}
