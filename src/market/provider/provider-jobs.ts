import type { ChangedRow } from "./change-rows.ts";

/** What the main thread asks of the provider's store thread. Plain data, since it crosses threads. */
export type ProviderJob =
  | { readonly op: "commit"; readonly rows: readonly ChangedRow[] }
  | { readonly op: "findRequest"; readonly senderId: string; readonly messageId: string }
  | { readonly op: "transactions"; readonly sinceMs: number }
  | { readonly op: "hasRound"; readonly roundId: string }
  | { readonly op: "rounds"; readonly limit: number }
  | { readonly op: "ordersOf"; readonly roundId: string }
  | { readonly op: "dueCallbacks"; readonly nowMs: number; readonly limit: number }
  | { readonly op: "removeCallback"; readonly id: number }
  | { readonly op: "retryCallback"; readonly id: number; readonly attempts: number; readonly nextAttemptMs: number }
  | { readonly op: "callbacksWaiting" }
  | { readonly op: "prune"; readonly nowMs: number };

export interface ProviderBatch {
  readonly batch: number;
  readonly jobs: readonly ProviderJob[];
}

/** `done` with an error: nothing of the batch was stored. */
export type ProviderAnswer =
  | { readonly kind: "ready" }
  | { readonly kind: "failed"; readonly error: string }
  | { readonly kind: "done"; readonly batch: number; readonly values: readonly unknown[]; readonly error?: string };

export interface ProviderThreadOptions {
  readonly file: string;
}
