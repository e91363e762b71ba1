import type { BidPoint } from "../model/bid-curve.ts";
import { BatchSums } from "./batch-sums.ts";
import { type ClaimedBid, claimOf, clearedResult, countSides, externalClaim } from "./cleared-result.ts";
import { BidError, type ClearingResult, type ClearingRules, type Participant } from "./clearing-types.ts";
import { CurveColumns } from "./curve-columns.ts";
import { MAX_TOTAL_KW } from "./exact-sum.ts";
import { findCrossing } from "./find-crossing.ts";
import { checkRules } from "./market-price.ts";
import { preparedBid, preparedExternal } from "./prepared-bid.ts";

/**
 * Clears a market: one price for all, and for each participant the power to hold.
 *
 * The same participants in any order give the same price and the same powers to the last bit, and a `ClearingBook` that
 * holds them gives the same again. All powers together meet the target to 1e-6 kW wherever that is possible; what rounding
 * leaves goes to the one participant whom the price moves most, or whose jump is the widest. Any finite price may be bid.
 *
 * A price that is met by a jump of several curves is `RATIONED`: `PRO_RATA` gives everybody the same share of its own jump;
 * `PRIORITY` trades as much as both sides accept, and on the side that is too long serves the lower priority first, then
 * the earlier, then the ERA that comes first, and the external exchange last. In `SHORTAGE` consumption is cut in
 * proportion, in `OVERSUPPLY` generation, as far as bounds allow. `EMPTY`, without a price and all at 0, are a market
 * without bids and one in balance in which one side is missing at every price.
 *
 * @throws BidError that names the bid and the fault: a curve that falls, in another currency, or is there twice
 * @throws RangeError if a rule is no number, or all bids together are more than 2²⁵ kW (33 GW)
 */
export function clear(participants: readonly Participant[], rules: ClearingRules): ClearingResult {
  checkRules(rules);
  const curves: (readonly BidPoint[])[] = [];
  const bids: ClaimedBid[] = [];
  const seen = new Set<string>();
  let totalKW = Math.abs(rules.targetKW);
  const take = (bid: ClaimedBid, points: readonly BidPoint[]) => {
    totalKW += Math.max(Math.abs((points[0] as BidPoint).powerKW), Math.abs((points.at(-1) as BidPoint).powerKW));
    curves.push(points);
    bids.push(bid);
  };
  for (const participant of participants) {
    if (seen.has(participant.era)) throw new BidError(participant.era, "has more than one bid");
    seen.add(participant.era);
    const prepared = preparedBid(participant, rules);
    take(claimOf(participant, prepared, curves.length), prepared.points);
  }
  const external = rules.external === undefined ? undefined : externalClaim(curves.length);
  if (rules.external !== undefined && external !== undefined) {
    take(external, preparedExternal(rules.external, rules).points);
  }
  if (totalKW > MAX_TOTAL_KW)
    throw new RangeError(`all bids together are ${totalKW} kW; at most ${MAX_TOTAL_KW} can be cleared`);

  const columns = CurveColumns.of(curves);
  const crossing = findCrossing(new BatchSums(columns), rules.targetKW);
  return clearedResult(columns, bids, external, crossing, countSides(columns, bids), rules);
}
