import type { SettledTrade } from "./revenue-flows.ts";
import type { Direction, Party, SettlementRules } from "./settlement-rules.ts";

/** What one party gets; negative: what it pays. */
export interface RevenueFlow {
  readonly party: Party;
  readonly amountMinor: bigint;
  readonly description: string;
}

/** The settlement of one order, in one direction of energy. */
export interface SettlementCycle {
  readonly cycleId: string;
  /** Absent for energy that was traded under no order. */
  readonly orderId?: string;
  readonly startMs: number;
  readonly endMs: number;
  readonly direction: Direction;
  readonly trade: SettledTrade;
  /** What the payer pays in sum. */
  readonly amountMinor: bigint;
}

/** A bill that adds up. Never changed after it was made: a mistake is taken back by a credit and billed anew. */
export interface SettlementReport {
  readonly reportId: string;
  /** The report that this one takes back, line by line; absent on a bill. */
  readonly credits?: { readonly reportId: string };
  readonly generatedAtMs: number;
  readonly rules: SettlementRules;
  readonly cycles: readonly SettlementCycle[];
  /** What each party but the payer gets, one entry a party and line, over all cycles. */
  readonly flows: readonly RevenueFlow[];
  /** Net of each party, the payer among them; the sum is 0. */
  readonly balances: readonly RevenueFlow[];
  /** What the payer pays, minor units. */
  readonly totalMinor: bigint;
}
