import type { Era } from "../../model/resource.ts";
import { BidError } from "../clearing-types.ts";
import type { GridNode, GridParticipant } from "../grid-types.ts";
import { GridError } from "./grid-error.ts";

/** More nodes than this are refused. */
export const MAX_GRID_NODES = 100_000;

/** More levels than this are refused; a grid from the continent's down to a street's has about ten. */
export const MAX_GRID_LEVELS = 32;

/** A node with what hangs on it. */
export interface TreeNode {
  readonly node: GridNode;
  readonly parent?: TreeNode;
  /** In the order of their ERAs, so that the same grid clears to the same bits in whatever order it is told. */
  readonly children: TreeNode[];
  /** Places in the list of participants, in the order of their ERAs. */
  readonly participants: number[];
}

/**
 * The nodes as a tree, each after its parent, the root first.
 *
 * @throws GridError naming the node: two roots or none, unknown parent, cycle, told twice, too deep, a number out of range
 * @throws BidError naming the participant: unknown node, told twice
 */
export function gridTree(nodes: readonly GridNode[], participants: readonly GridParticipant[]): readonly TreeNode[] {
  const root = checkedRoot(nodes);
  const childrenOf = new Map<Era, GridNode[]>();
  const known = new Set(nodes.map((node) => node.era));
  for (const node of nodes) {
    if (node.parent === undefined) continue;
    if (!known.has(node.parent)) throw new GridError(node.era, `parent ${node.parent} is not in the grid`);
    const siblings = childrenOf.get(node.parent);
    if (siblings === undefined) childrenOf.set(node.parent, [node]);
    else siblings.push(node);
  }

  const tree: TreeNode[] = [];
  let level: TreeNode[] = [{ node: root, children: [], participants: [] }];
  for (let depth = 1; level.length > 0; depth++) {
    const next: TreeNode[] = [];
    for (const above of level) {
      if (depth > MAX_GRID_LEVELS) {
        throw new GridError(above.node.era, `is deeper than ${MAX_GRID_LEVELS} levels below the root`);
      }
      tree.push(above);
      for (const node of (childrenOf.get(above.node.era) ?? []).sort(byEra)) {
        const child: TreeNode = { node, parent: above, children: [], participants: [] };
        above.children.push(child);
        next.push(child);
      }
    }
    level = next;
  }
  if (tree.length < nodes.length) throw cycle(nodes, tree);
  hang(participants, tree);
  return tree;
}

function checkedRoot(nodes: readonly GridNode[]): GridNode {
  if (nodes.length > MAX_GRID_NODES) {
    throw new GridError(nodes[0]?.era ?? "grid", `${nodes.length} nodes are more than ${MAX_GRID_NODES}`);
  }
  const seen = new Set<Era>();
  let root: GridNode | undefined;
  for (const node of nodes) {
    if (seen.has(node.era)) throw new GridError(node.era, "is in the grid twice");
    seen.add(node.era);
    checkNumbers(node);
    if (node.parent !== undefined) continue;
    if (root !== undefined) throw new GridError(node.era, `has no parent, and neither has ${root.era}: one root only`);
    root = node;
  }
  if (root === undefined) throw new GridError(nodes[0]?.era ?? "grid", "there is no root: every node has a parent");
  return root;
}

function checkNumbers(node: GridNode): void {
  const { era, adder } = node;
  for (const field of ["maxForwardFlowKW", "maxReverseFlowKW"] as const) {
    const limit = node[field];
    if (limit !== undefined && !(limit >= 0)) throw new GridError(era, `${field} must be 0 or more, not ${limit}`);
  }
  for (const field of ["uncontrolledKW", "offsetKW"] as const) {
    if (!Number.isFinite(node[field] ?? 0)) throw new GridError(era, `${field} must be a finite number`);
  }
  if (adder === undefined) return;
  if (!(adder.ratingKW > 0 && Number.isFinite(adder.ratingKW))) {
    throw new GridError(era, `adder.ratingKW must be above 0, not ${adder.ratingKW}`);
  }
  const factors = {
    priceAdderPerPercent: adder.priceAdderPerPercent,
    congestionMultiplier: adder.congestionMultiplier,
  };
  for (const [field, value] of Object.entries(factors)) {
    if (value !== undefined && !(value >= 0 && Number.isFinite(value))) {
      throw new GridError(era, `adder.${field} must be 0 or more, not ${value}`);
    }
  }
}

/** Goes up from a node that no root reaches until it meets one a second time. */
function cycle(nodes: readonly GridNode[], tree: readonly TreeNode[]): GridError {
  const reached = new Set(tree.map(({ node }) => node.era));
  const byName = new Map(nodes.map((node) => [node.era, node]));
  const met = new Set<Era>();
  let here = nodes.find((node) => !reached.has(node.era));
  while (here !== undefined && !met.has(here.era)) {
    met.add(here.era);
    here = byName.get(here.parent ?? "");
  }
  return new GridError(here?.era ?? "grid", "is its own ancestor: a radial grid has no cycles");
}

function hang(participants: readonly GridParticipant[], tree: readonly TreeNode[]): void {
  const byName = new Map(tree.map((at) => [at.node.era, at]));
  const seen = new Set<Era>();
  for (const [index, { era, node }] of participants.entries()) {
    if (seen.has(era)) throw new BidError(era, "bids twice");
    seen.add(era);
    const at = node === undefined ? tree[0] : byName.get(node);
    if (at === undefined) throw new BidError(era, `node ${node} is not in the grid`);
    at.participants.push(index);
  }
  const eraOf = (index: number) => participants[index]?.era ?? "";
  for (const at of tree) at.participants.sort((a, b) => (eraOf(a) < eraOf(b) ? -1 : 1));
}

function byEra(a: GridNode, b: GridNode): number {
  return a.era < b.era ? -1 : 1;
}
