import type { ClearingResult, ClearingRules, Participant } from "./clearing-types.ts";
import type { CurveColumns } from "./curve-columns.ts";
import type { Crossing } from "./find-crossing.ts";
import { marketPrice, type Sides } from "./market-price.ts";
import { EXTERNAL, type PreparedBid } from "./prepared-bid.ts";
import { type Claim, shareOut } from "./share-out.ts";

/** One bid in a clearing, with the slot that its curve stands in. */
export type ClaimedBid = Claim;

export function claimOf(participant: Participant, prepared: PreparedBid, slot: number): ClaimedBid {
  const { era, priority = 0, submittedAtMs = Number.POSITIVE_INFINITY } = participant;
  return { slot, era, priority, submittedAtMs, floorKW: prepared.floorKW, ceilingKW: prepared.ceilingKW };
}

/** The external exchange comes last where jumps are filled one after the other. */
export function externalClaim(slot: number): ClaimedBid {
  return {
    slot,
    era: EXTERNAL,
    priority: Number.POSITIVE_INFINITY,
    submittedAtMs: Number.POSITIVE_INFINITY,
    floorKW: Number.NEGATIVE_INFINITY,
    ceilingKW: Number.POSITIVE_INFINITY,
  };
}

export function countSides(columns: CurveColumns, bids: readonly ClaimedBid[]): Sides {
  let generating = 0;
  let consuming = 0;
  for (const { slot } of bids) {
    if (columns.lastKW(slot) > 0) generating++;
    if (columns.firstKW(slot) < 0) consuming++;
  }
  return { bids: bids.length, generating, consuming };
}

/** @param bids all, with `external` among them if there is one */
export function clearedResult(
  columns: CurveColumns,
  bids: readonly ClaimedBid[],
  external: ClaimedBid | undefined,
  crossing: Crossing,
  sides: Sides,
  rules: ClearingRules,
): ClearingResult {
  const market = marketPrice(crossing, rules, sides);
  const { powersKW, clearedKW, unmetKW } = shareOut(columns, bids, market, crossing, rules.targetKW, rules.rationing);
  const powerOf = (bid: ClaimedBid) => powersKW[bid.slot] as number;
  return {
    ...market,
    clearedKW,
    ...(external !== undefined && { externalKW: powerOf(external) }),
    setpoints: bids.filter((bid) => bid !== external).map((bid) => ({ era: bid.era, powerKW: powerOf(bid) })),
    unmetKW,
  };
}
