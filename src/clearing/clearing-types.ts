import type { BidCurve } from "../model/bid-curve.ts";
import type { Era } from "../model/resource.ts";

/** What a resource can do beside its curve, kW, export positive; each bound only where there is one. */
export interface BidBounds {
  readonly minPowerKW?: number;
  readonly maxPowerKW?: number;
  /** Fastest change of power, kW per minute, > 0. Counts only together with `presentPowerKW`. */
  readonly rampRateKWPerMin?: number;
  /** Power at the moment of clearing, kW. */
  readonly presentPowerKW?: number;
}

/** One bid in a clearing. */
export interface Participant {
  readonly era: Era;
  readonly curve: BidCurve;
  readonly bounds?: BidBounds;
  /** Lower goes first where `PRIORITY` rations; 0 unless given. */
  readonly priority?: number;
  /** Wall time, epoch ms; breaks ties of priority, the earlier first. */
  readonly submittedAtMs?: number;
}

/**
 * How a jump that is wider than what is left is shared: in proportion to each participant's own jump, or filled one after
 * the other by priority, then time, then ERA.
 */
export type Rationing = "PRO_RATA" | "PRIORITY";

/** What holds for a clearing. */
export interface ClearingRules {
  /** ISO 4217; a curve in another currency is refused, never converted. */
  readonly currency: string;
  /** What all setpoints have to add up to, kW, export positive; 0 is a balanced market. A fixed exchange turns it. */
  readonly targetKW: number;
  /** Lowest and highest price; a price never leaves them. */
  readonly minPricePerKWh?: number;
  readonly maxPricePerKWh?: number;
  /** What the market trades with the outside, as one more curve (kW into this market positive). */
  readonly external?: BidCurve;
  readonly rationing: Rationing;
  /** Price of the interval before: taken on a plateau that is open on both sides. */
  readonly lastPricePerKWh?: number;
  /** Taken there if there is no price before. */
  readonly basePricePerKWh?: number;
  /** Time over which a ramp counts, ms: until the interval starts, or the control period. */
  readonly rampWindowMs?: number;
}

/**
 * `CLEARED`: one price, one power each. `PLATEAU`: any price of a band balances. `RATIONED`: a jump was shared.
 * `SHORTAGE`: even at the highest price too little is generated. `OVERSUPPLY`: even at the lowest too much. `EMPTY`: nobody
 * trades.
 */
export type ClearingStatus = "CLEARED" | "PLATEAU" | "RATIONED" | "SHORTAGE" | "OVERSUPPLY" | "EMPTY";

/** What a participant is to hold. */
export interface ClearedSetpoint {
  readonly era: Era;
  /** kW, export positive. */
  readonly powerKW: number;
}

export interface ClearingResult {
  readonly status: ClearingStatus;
  /** Absent when nothing was cleared. */
  readonly pricePerKWh?: number;
  /** Band of prices that would do as well; only with `PLATEAU`. An open side is absent. */
  readonly plateau?: { readonly fromPerKWh?: number; readonly toPerKWh?: number };
  /** Gross: sum of all positive powers (with the external exchange), kW, ≥ 0. */
  readonly clearedKW: number;
  /** Power from the outside, kW into this market positive; absent without an exchange. */
  readonly externalKW?: number;
  /** In the order of the participants. */
  readonly setpoints: readonly ClearedSetpoint[];
  /** target − Σ, kW; 0 unless SHORTAGE or OVERSUPPLY could not be met even by rationing. */
  readonly unmetKW: number;
}

/** A bid that can't be cleared. */
export class BidError extends Error {
  override readonly name = "BidError";
  readonly era: Era;

  /** @param fault what is wrong, with the index of the point where it is one */
  constructor(era: Era, fault: string) {
    super(`${era}: ${fault}`);
    this.era = era;
  }
}
