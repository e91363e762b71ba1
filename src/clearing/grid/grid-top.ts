import type { ClearingRules } from "../clearing-types.ts";
import type { BidGraph } from "./bid-graph.ts";
import type { Branch } from "./branch.ts";
import { sumGraphs } from "./graph-sum.ts";
import { type MarketPrice, marketPrice } from "./node-price.ts";
import { endsOfAll, highestKW, lowestKW, priceEnds, roundingKW } from "./price-graph.ts";
import { splitFlow } from "./split-flow.ts";

/** What the whole grid and the outside have agreed on. */
export interface GridTop {
  readonly market: MarketPrice;
  /** Flow out of the root, kW, export positive. */
  readonly rootFlowKW: number;
  /** kW from the outside; absent without an exchange. */
  readonly externalKW?: number;
  /** Target less what could be reached, kW; 0 within rounding. */
  readonly unmetKW: number;
  /** The exchange's bid, where there is one. */
  readonly external?: BidGraph;
}

/** Meets the target above the root: what flows out of the root and what comes from the outside. */
export function clearTop(root: Branch, external: BidGraph | undefined, rules: ClearingRules): GridTop {
  const parts = external === undefined ? [root.seen] : [root.seen, external.rationed];
  const whole = sumGraphs(parts, 0);
  const { targetKW } = rules;
  const [rootFlowKW = 0, externalKW] = splitFlow(parts, whole, 0, targetKW);
  const ends = endsOfAll([root.ends, external && priceEnds(external.accepted)]);
  const missedKW = targetKW - Math.min(Math.max(targetKW, lowestKW(whole)), highestKW(whole));
  return {
    market: marketPrice(whole, targetKW, ends, rules),
    rootFlowKW,
    unmetKW: Math.abs(missedKW) <= roundingKW(whole) ? 0 : missedKW,
    ...(externalKW === undefined ? {} : { externalKW }),
    ...(external === undefined ? {} : { external }),
  };
}
