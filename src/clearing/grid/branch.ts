import type { ClearingRules } from "../clearing-types.ts";
import type { GridNode } from "../grid-types.ts";
import { offsetGraph } from "./bid-graph.ts";
import { cutPower, holdUnderFloor, throughAdder } from "./graph-cuts.ts";
import { sumGraphs } from "./graph-sum.ts";
import { GridError } from "./grid-error.ts";
import type { TreeNode } from "./grid-tree.ts";
import {
  endsOfAll,
  highestKW,
  lowestKW,
  type PriceEnds,
  type PriceGraph,
  priceEnds,
  roundingKW,
} from "./price-graph.ts";

/** A node as a line, on the way up: what flows out of it at which price. */
export interface Branch {
  readonly tree: TreeNode;
  /** Lines of its participants, then of its child nodes as it sees them, then of its offset where it has one. */
  readonly parts: readonly PriceGraph[];
  /** Flow by the price at the node itself, before its limits. */
  readonly raw: PriceGraph;
  readonly lowKW: number;
  readonly highKW: number;
  /** Currency per kWh for each kW of import. */
  readonly adderPerKW: number;
  /** Flow by the price of the parent: cut to the limits, and with the adder. */
  readonly seen: PriceGraph;
  /** Prices between which the bids here and below change; absent where none does. */
  readonly ends?: PriceEnds;
}

/**
 * @param bids lines of the participants, by their place in the list
 * @param below branches of the child nodes, in the tree's order
 * @throws GridError where the limit can't be kept whatever the market does
 */
export function branch(
  tree: TreeNode,
  bids: readonly PriceGraph[],
  below: readonly Branch[],
  rules: ClearingRules,
): Branch {
  const { node } = tree;
  const parts = tree.participants.map((index) => bids[index] as PriceGraph);
  for (const child of below) parts.push(child.seen);
  if (hasOffset(node)) parts.push(offsetGraph(node.offsetKW));
  const raw = sumGraphs(parts, node.uncontrolledKW ?? 0);

  const lowKW = -(node.maxForwardFlowKW ?? Number.POSITIVE_INFINITY);
  const highKW = node.maxReverseFlowKW ?? Number.POSITIVE_INFINITY;
  checkLimits(node, raw, lowKW, highKW);
  const adderPerKW = adderSlope(node);
  const seen = throughAdder(cutPower(raw, lowKW, highKW), adderPerKW);
  const floor = rules.minPricePerKWh;
  const ends = endsOfAll([
    ...tree.participants.map((index) => priceEnds(bids[index] as PriceGraph)),
    ...below.map((child) => child.ends),
  ]);
  return {
    tree,
    parts,
    raw,
    lowKW,
    highKW,
    adderPerKW,
    seen: floor === undefined ? seen : holdUnderFloor(seen, floor),
    ...(ends === undefined ? {} : { ends }),
  };
}

export function hasOffset(node: GridNode): node is GridNode & { readonly offsetKW: number } {
  return node.offsetKW !== undefined && node.offsetKW !== 0;
}

/** Currency per kWh for each kW of import: the adder is told for each percent of the rating. */
function adderSlope({ adder }: GridNode): number {
  if (adder === undefined) return 0;
  return ((adder.congestionMultiplier ?? 1) * adder.priceAdderPerPercent * 100) / adder.ratingKW;
}

function checkLimits({ era }: GridNode, raw: PriceGraph, lowKW: number, highKW: number): void {
  const importExcessKW = lowKW - highestKW(raw);
  const exportExcessKW = lowestKW(raw) - highKW;
  const excessKW = Math.max(importExcessKW, exportExcessKW);
  if (excessKW <= roundingKW(raw)) return;
  const [field, limitKW] = importExcessKW > 0 ? ["maxForwardFlowKW", -lowKW] : ["maxReverseFlowKW", highKW];
  throw new GridError(
    era,
    `${field} ${limitKW} is exceeded by ${excessKW} kW even with every bid below cut to nothing`,
    excessKW,
  );
}
