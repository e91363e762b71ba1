/** How a message from the market ended here. A NACK counts under its code. */
export type ReceivedOutcome = "acked" | "repeated" | "outdated" | (string & {});

/** How an attempt to send a message ended. */
export type SentOutcome = "acked" | "nacked" | "retried" | "expired" | "undeliverable";

/** Where the market part counts. Labels come from fixed lists, so that a hostile sender makes no new series. */
export interface MarketCounters {
  /** @param action a known action, or `other` */
  received(action: string, outcome: ReceivedOutcome): void;
  sent(action: string, outcome: SentOutcome): void;
}
