/** Why somebody was not let in, in the words of the counters: a closed list, so that nobody outside makes new ones. */
export const REFUSALS = [
  "address",
  "browser",
  "certificate",
  "connections",
  "credentials",
  "duplicate",
  "identity",
  "misconduct",
  "rejected",
  "security-profile",
  "subprotocol",
  "timeout",
  "too-busy",
  "too-many-failures",
  "unknown",
] as const;

export type RefusalReason = (typeof REFUSALS)[number];

/** An upgrade that is not wanted, as HTTP says it. */
export interface Refusal {
  readonly status: number;
  readonly reason: RefusalReason;
  readonly why: string;
  /** When it makes sense to come again. */
  readonly retryAfterMs?: number;
}
