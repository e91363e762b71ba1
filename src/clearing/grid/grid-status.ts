import type { ClearingRules, ClearingStatus } from "../clearing-types.ts";
import type { GridNode } from "../grid-types.ts";
import type { BidGraph } from "./bid-graph.ts";
import type { SettledGrid } from "./grid-down.ts";
import type { GridTop } from "./grid-top.ts";
import { type BidKept, bidKept } from "./kept-bids.ts";
import { highestKW, lowestKW } from "./price-graph.ts";

/**
 * What the clearing has to say of itself, taken from how each power stands to its bid. Nobody trades (`EMPTY`) without bids,
 * or where all is in balance and one side is missing at every price; what flows at the nodes anyway counts as a side.
 *
 * @param bids in the order of the settled participants
 */
export function gridStatus(
  nodes: readonly GridNode[],
  bids: readonly BidGraph[],
  top: GridTop,
  settled: SettledGrid,
  rules: ClearingRules,
): ClearingStatus {
  const { external, externalKW = 0, unmetKW, market } = top;
  const everyBid = external === undefined ? bids : [...bids, external];
  if (everyBid.length === 0) return "EMPTY";

  const kept = new Set<BidKept>();
  for (const [index, { accepted }] of bids.entries()) {
    kept.add(bidKept(accepted, settled.pricesPerKWh[index] as number, settled.powersKW[index] as number));
  }
  if (external !== undefined) kept.add(bidKept(external.accepted, market.pricePerKWh, externalKW));
  if (unmetKW > 0 || kept.has("MORE")) return "SHORTAGE";
  if (unmetKW < 0 || kept.has("LESS")) return "OVERSUPPLY";

  const fixedKW = [
    -rules.targetKW,
    ...nodes.flatMap(({ uncontrolledKW = 0, offsetKW = 0 }) => [uncontrolledKW, offsetKW]),
  ];
  const canSell = everyBid.some(({ accepted }) => highestKW(accepted) > 0) || fixedKW.some((powerKW) => powerKW > 0);
  const canBuy = everyBid.some(({ accepted }) => lowestKW(accepted) < 0) || fixedKW.some((powerKW) => powerKW < 0);
  if (!canSell || !canBuy) return "EMPTY";
  if (kept.has("SHARED")) return "RATIONED";
  return market.plateau === undefined ? "CLEARED" : "PLATEAU";
}
