import type { Profile } from "../control/charging-profile.ts";
import type { JsonRecord } from "../link/json.ts";
import type { Tag, Token } from "../sessions/tag.ts";
import type { Request } from "./dialect.ts";

/** A session to begin on a connector. */
export interface StartOrder {
  readonly connector: number;
  readonly token: Token;
  /** Our own number for it, which a 2.x station may give back. */
  readonly remoteStartId: number;
  /** A `TxProfile` without a transaction, since there is none yet. */
  readonly profile?: Profile;
}

export interface ReserveOrder {
  readonly reservationId: number;
  readonly connector: number;
  readonly token: Token;
  readonly untilMs: number;
}

/** What a charger can hold of the list; absent where it does not say. */
export interface ListLimits {
  readonly maxEntries?: number;
  readonly maxPerMessage?: number;
}

/** The calls of one version that are about who charges and when. */
export interface SessionCalls {
  start(order: StartOrder): Request;
  stop(transactionId: number | string): Request;
  reserve(order: ReserveOrder): Request;
  cancelReservation(reservationId: number): Request;
  /** Whether a transaction goes on; absent in 1.6, which cannot be asked. */
  readonly transactionStatus?: (transactionId: string) => Request;
  listVersion(): Request;
  listVersionFrom(answer: JsonRecord): number | undefined;
  listLimits(): Request;
  listLimitsFrom(answer: JsonRecord): ListLimits;
  /** Settings without which a charger takes no notice of the list. */
  listSettings(): readonly Request[];
  /** Tags that this version can carry. */
  fits(tag: Tag): boolean;
  sendList(version: number, kind: "Full" | "Differential", tags: readonly Tag[], nowMs: number): Request;
}
