/** What stands around a bid, for the dialects that write a whole contract. */
export interface BidContext {
  readonly bapId: string;
  readonly bppId: string;
  readonly transactionId: string;
  /** Where the market has named it. */
  readonly orderId?: string;
  /** The resource's meters, as the market knows them. */
  readonly meterIds: readonly string[];
  /** The time that the bid is for, wall time, epoch ms, in so many intervals of one length. */
  readonly window: { readonly fromMs: number; readonly untilMs: number };
  readonly intervals: number;
}

/** The next whole market intervals: the one that runs now is no longer for sale. */
export function nextIntervals(nowMs: number, intervalMs: number, intervals: number): BidContext["window"] {
  const fromMs = Math.ceil(nowMs / intervalMs) * intervalMs;
  return { fromMs, untilMs: fromMs + intervals * intervalMs };
}
