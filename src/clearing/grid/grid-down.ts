import type { ClearingRules } from "../clearing-types.ts";
import type { ClearedNode } from "../grid-types.ts";
import { type Branch, hasOffset } from "./branch.ts";
import type { TreeNode } from "./grid-tree.ts";
import { nodePrice } from "./node-price.ts";
import { roundingKW } from "./price-graph.ts";
import { splitFlow } from "./split-flow.ts";

/** What came of nodes and participants. */
export interface SettledGrid {
  /** From the root down. */
  readonly nodes: readonly (ClearedNode & { readonly pricePerKWh: number })[];
  /** kW of each participant, in the order of their list. */
  readonly powersKW: readonly number[];
  /** Price at each participant's node. */
  readonly pricesPerKWh: readonly number[];
  /** Sum of all positive powers of participants, kW; added in the tree's order. */
  readonly generatedKW: number;
}

/** A node's part in the sharing above it. */
interface Assigned {
  readonly flowKW: number;
  readonly parentPricePerKWh: number;
}

/**
 * Hands the root's flow down: each node takes its price from its flow and its parent's price, and shares the flow.
 *
 * @param branches each after its parent, the root first
 * @param participants how many there are
 */
export function settleDown(
  branches: readonly Branch[],
  rootFlowKW: number,
  marketPricePerKWh: number,
  participants: number,
  rules: ClearingRules,
): SettledGrid {
  const nodes: (ClearedNode & { readonly pricePerKWh: number })[] = [];
  const powersKW = new Array<number>(participants).fill(0);
  const pricesPerKWh = new Array<number>(participants).fill(marketPricePerKWh);
  let generatedKW = 0;
  const assigned = new Map<TreeNode, Assigned>();
  for (const branch of branches) {
    const { tree, parts, raw } = branch;
    const { node } = tree;
    const { flowKW, parentPricePerKWh } = assigned.get(tree) ?? {
      flowKW: rootFlowKW,
      parentPricePerKWh: marketPricePerKWh,
    };
    const importKW = -flowKW;
    const { pricePerKWh, boundBy } = nodePrice({ ...branch, flowKW }, parentPricePerKWh, rules);

    const shares = splitFlow(parts, raw, node.uncontrolledKW ?? 0, flowKW);
    for (const [at, index] of tree.participants.entries()) {
      const powerKW = tidy(shares[at] as number);
      powersKW[index] = powerKW;
      generatedKW += Math.max(0, powerKW);
      pricesPerKWh[index] = pricePerKWh;
    }
    for (const [at, child] of tree.children.entries()) {
      const childFlowKW = shares[tree.participants.length + at] as number;
      assigned.set(child, { flowKW: childFlowKW, parentPricePerKWh: pricePerKWh });
    }
    const unservedKW = hasOffset(node) ? node.offsetKW - (shares.at(-1) as number) : 0;
    nodes.push({
      era: node.era,
      pricePerKWh: tidy(pricePerKWh),
      adderPerKWh: tidy(pricePerKWh - parentPricePerKWh),
      flowKW: tidy(flowKW),
      congestionRentPerHour: tidy((pricePerKWh - parentPricePerKWh) * importKW),
      ...(boundBy === undefined ? {} : { boundBy }),
      ...(Math.abs(unservedKW) <= roundingKW(raw) ? {} : { unservedOffsetKW: unservedKW }),
    });
  }
  return { nodes, powersKW, pricesPerKWh, generatedKW };
}

/** Without the sign that rounding leaves on a zero. */
function tidy(value: number): number {
  return value === 0 ? 0 : value;
}
