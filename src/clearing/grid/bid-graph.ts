import type { BidPoint } from "../../model/bid-curve.ts";
import { BidError, type ClearingRules, type Participant } from "../clearing-types.ts";
import { preparedBid } from "../prepared-bid.ts";
import type { JumpRanks } from "./jump-ranks.ts";
import {
  constantGraph,
  GraphBuilder,
  highestKW,
  lowestKW,
  OFFSET_LEVEL,
  type PriceGraph,
  RATIONING_LEVEL,
} from "./price-graph.ts";

/** Beyond this a price would come too near to the levels of a line. Currency per kWh. */
const MAX_PRICE_MAGNITUDE = 1e100;

/** A bid as a line. */
export interface BidGraph {
  /** What the bid itself accepts, within its bounds and the lowest and highest price. */
  readonly accepted: PriceGraph;
  /**
   * With what can be done to it where no price helps: at the level above all prices its consumption can be cut down to
   * nothing, below all prices its generation; neither further than its bounds let it, and everybody in proportion.
   */
  readonly rationed: PriceGraph;
}

/**
 * @param index its place in the list of participants; absent for the external exchange
 * @throws BidError naming the ERA, where the bid is unsound or in another currency
 */
export function bidGraph(bid: Participant, rules: ClearingRules, ranks: JumpRanks, index?: number): BidGraph {
  const { points, floorKW, ceilingKW } = preparedBid(bid, rules);
  const far = points.find(({ pricePerKWh }) => Math.abs(pricePerKWh) > MAX_PRICE_MAGNITUDE);
  if (far !== undefined) throw new BidError(bid.era, `price ${far.pricePerKWh} is beyond ±${MAX_PRICE_MAGNITUDE}`);
  const accepted = ranked(points, (topKW) => ranks.of(topKW, index));
  const least = lowestKW(accepted);
  const most = highestKW(accepted);
  const idleKW = Math.min(Math.max(0, floorKW), ceilingKW);
  if (least <= idleKW && idleKW <= most) return { accepted, rationed: accepted };

  const rationed = new GraphBuilder();
  if (idleKW < least) rationed.add(-RATIONING_LEVEL, 0, idleKW);
  if (idleKW < least) rationed.add(-RATIONING_LEVEL, 0, least);
  for (let at = 0; at < accepted.prices.length; at++) {
    rationed.add(accepted.prices[at] as number, accepted.ranks[at] as number, accepted.powers[at] as number);
  }
  if (most < idleKW) rationed.add(RATIONING_LEVEL, 0, most);
  if (most < idleKW) rationed.add(RATIONING_LEVEL, 0, idleKW);
  return { accepted, rationed };
}

/** An injection that stands at every price of the market, and gives way before any bid is rationed. */
export function offsetGraph(offsetKW: number): PriceGraph {
  if (offsetKW === 0) return constantGraph(0);
  const graph = new GraphBuilder();
  const price = offsetKW > 0 ? -OFFSET_LEVEL : OFFSET_LEVEL;
  graph.add(price, 0, Math.min(0, offsetKW));
  graph.add(price, 0, Math.max(0, offsetKW));
  return graph;
}

/** The points as corners; those of a jump get the jump's rank. */
function ranked(points: readonly BidPoint[], rankOf: (topKW: number) => number): PriceGraph {
  const corners = new GraphBuilder();
  for (const { pricePerKWh, powerKW } of points) corners.add(pricePerKWh, 0, powerKW);
  const { prices, powers, ranks } = corners;
  for (let index = 1; index < prices.length; index++) {
    if (prices[index] !== prices[index - 1]) continue;
    ranks[index - 1] = ranks[index] = rankOf(powers[index] as number);
  }
  return corners;
}
