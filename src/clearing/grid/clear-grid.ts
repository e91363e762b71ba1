import type { ClearingRules } from "../clearing-types.ts";
import type { ClearedNode, ClearGrid } from "../grid-types.ts";
import { checkRules } from "../market-price.ts";
import { EXTERNAL } from "../prepared-bid.ts";
import { type BidGraph, bidGraph } from "./bid-graph.ts";
import { type Branch, branch } from "./branch.ts";
import { settleDown } from "./grid-down.ts";
import { gridStatus } from "./grid-status.ts";
import { clearTop } from "./grid-top.ts";
import { gridTree, type TreeNode } from "./grid-tree.ts";
import { jumpRanks } from "./jump-ranks.ts";

/**
 * Clears a radial grid exactly: no price is tried, nothing is iterated.
 *
 * Upwards, each node adds the lines of all that hangs on it, cuts the sum to its limits and puts its adder on it; what the
 * parent sees is again one line. At the top, one price meets the target. Downwards, each node gets its flow and its
 * price, and shares the flow among its parts. A node's cut line is the slope of the best that its subtree can do, so the
 * result is the optimum of the whole grid, as long as that has neither losses nor loops.
 *
 * - **Balance**: Σ setpoints + Σ `uncontrolledKW` + Σ (`offsetKW` − unserved) + external = `targetKW` − `unmetKW`.
 * - **Price of the market** (`pricePerKWh`): the price above the root, at which the outside trades. The root's own price
 *   differs from it only if the root has an adder or a limit, which then act on what is traded with the outside. Every node
 *   has a price once anything is traded, also one with nothing but uncontrolled load.
 * - **Adder**: price here = price of the parent + adder × import; on export nothing. A limit that holds moves the price on
 *   from there. The rent of such a node has two parts: adder × import² is the adder's, the rest is the limit's. Where the
 *   highest or the lowest price of the rules is in the way, or every bid is at its end because generation or an offset finds
 *   no taker, `adderPerKWh` is what is left of it.
 * - **Offset**: injected, then the market moves until priced bids have taken it. What they can't take within all limits is
 *   unserved; no bid is rationed for it, and several offsets that can't be taken give way in proportion.
 * - **Rationing**: where no price keeps the balance or a limit, consumption (or generation) is cut towards 0 within its
 *   bounds. `SHORTAGE` (or `OVERSUPPLY`) says that this was done anywhere in the grid, `RATIONED` that a jump was shared
 *   anywhere; each goes before `PLATEAU`.
 *
 * Takes O(M log M) for M corners of bids, times the few levels that a corner passes uncut.
 *
 * @returns setpoints and nodes in the order in which they were told, with the same values in whatever order that is
 * @throws GridError a grid badly described, or a limit that even cutting every bid to nothing can't keep
 * @throws BidError an unsound bid, one in another currency, told twice or on an unknown node
 * @throws RangeError a rule that is no number
 */
export const clearGrid: ClearGrid = (nodes, participants, rules) => {
  checkRules(rules);
  const tree = gridTree(nodes, participants);
  const ranks = jumpRanks(rules.rationing, participants);
  const bids = participants.map((participant, index) => bidGraph(participant, rules, ranks, index));
  const outside = rules.external;
  const external = outside && bidGraph({ era: EXTERNAL, curve: outside }, rules, ranks);

  const branches = branchesOf(tree, bids, rules);
  const top = clearTop(branches[0] as Branch, external, rules);
  const { pricePerKWh, plateau } = top.market;
  const settled = settleDown(branches, top.rootFlowKW, pricePerKWh, participants.length, rules);

  const status = gridStatus(nodes, bids, top, settled, rules);
  const empty = status === "EMPTY";
  const cleared = new Map(settled.nodes.map((node) => [node.era, empty ? withoutPrice(node) : node]));
  return {
    status,
    ...(empty ? {} : { pricePerKWh }),
    ...(status === "PLATEAU" && plateau !== undefined ? { plateau } : {}),
    clearedKW: settled.generatedKW + Math.max(0, top.externalKW ?? 0),
    ...(top.externalKW === undefined ? {} : { externalKW: top.externalKW }),
    setpoints: participants.map(({ era }, index) => ({ era, powerKW: settled.powersKW[index] as number })),
    unmetKW: top.unmetKW,
    nodes: nodes.map(({ era }) => cleared.get(era) as ClearedNode),
  };
};

/** The branches in the order of the tree, built from its leaves up. */
function branchesOf(tree: readonly TreeNode[], bids: readonly BidGraph[], rules: ClearingRules): readonly Branch[] {
  const lines = bids.map(({ rationed }) => rationed);
  const branches = new Map<TreeNode, Branch>();
  for (const at of tree.toReversed()) {
    const below = at.children.map((child) => branches.get(child) as Branch);
    branches.set(at, branch(at, lines, below, rules));
  }
  return tree.map((at) => branches.get(at) as Branch);
}

/** A node where nothing is traded has flows, and no price. */
function withoutPrice({ era, flowKW, boundBy, unservedOffsetKW }: ClearedNode): ClearedNode {
  return {
    era,
    adderPerKWh: 0,
    flowKW,
    congestionRentPerHour: 0,
    ...(boundBy === undefined ? {} : { boundBy }),
    ...(unservedOffsetKW === undefined ? {} : { unservedOffsetKW }),
  };
}
