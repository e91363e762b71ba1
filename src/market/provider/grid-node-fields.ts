import type { GridNode, LoadAdder } from "../../clearing/grid-types.ts";
import type { WireFields } from "../wire-fields.ts";

/** A grid node of a request, with what its own message says about its price. */
export interface ReadNode {
  readonly node: GridNode;
  /**
   * Price at this node above the one of its parent as the node itself states it, currency per kWh: for its present load,
   * which nobody in the request may cause. Absent where it names no adder or no load.
   */
  readonly statedAdderPerKWh?: number;
  /** What it states as the price of its parent, currency per kWh; counts only where the clearing finds none. */
  readonly basePricePerKWh?: number;
}

const NODE_FIELDS = ["locationalPriceAdder", "gridConstraints", "offsetCommand"] as const;

/** A participant with one of these and no curve is a grid node (the seed, 3.4). */
export function isGridNode(fields: WireFields): boolean {
  if (fields.has("bidCurve") || fields.has("offerCurve")) return false;
  return NODE_FIELDS.some((name) => fields.has(name)) || fields.raw("@type") === "GridNode";
}

/**
 * A grid node: `locationalPriceAdder`, `gridConstraints`, `offsetCommand`, and `parent` (or `node`) for the one above.
 *
 * `formula` is text for people and never evaluated. `currentPrice` states a price that the clearing finds itself, so it
 * decides nothing; `basePrice` stands in for the price of the parent only where nothing is cleared. What is 100 percent load is `ratingKW`, else `maxForwardFlowKW`, else what
 * `currentLoadKW` and `currentLoadPercent` say together.
 * @throws Refusal naming the field
 */
export function readGridNode(fields: WireFields): ReadNode {
  const era = fields.required("era", fields.text("era"), "string");
  const parent = fields.text("parent") ?? fields.text("node");
  const constraints = fields.object("gridConstraints");
  const adder = fields.object("locationalPriceAdder");
  const maxForwardKW = constraints?.number("maxForwardFlowKW", 0);
  const maxReverseKW = constraints?.number("maxReverseFlowKW", 0);
  const uncontrolledKW = (constraints ?? fields).number("uncontrolledKW");
  const offsetKW = readOffset(fields);
  const basePrice = adder?.number("basePrice");
  const perPercent = adder?.number("priceAdderPerPercent", 0);
  const multiplier = adder?.number("congestionMultiplier", 0);
  const loadPercent = adder?.number("currentLoadPercent");
  const loadKW = constraints?.number("currentLoadKW");
  const ratingKW = ratingOf(fields, constraints, adder, loadKW, loadPercent);
  const loadAdder: LoadAdder | undefined =
    perPercent === undefined || ratingKW === undefined
      ? undefined
      : {
          priceAdderPerPercent: perPercent,
          ratingKW,
          ...(multiplier !== undefined && { congestionMultiplier: multiplier }),
        };
  const percent =
    loadPercent ?? (loadKW === undefined || ratingKW === undefined ? undefined : (100 * loadKW) / ratingKW);
  return {
    node: {
      era,
      ...(parent !== undefined && { parent }),
      ...(maxForwardKW !== undefined && { maxForwardFlowKW: maxForwardKW }),
      ...(maxReverseKW !== undefined && { maxReverseFlowKW: maxReverseKW }),
      ...(uncontrolledKW !== undefined && { uncontrolledKW }),
      ...(offsetKW !== undefined && { offsetKW }),
      ...(loadAdder !== undefined && { adder: loadAdder }),
    },
    ...(perPercent !== undefined &&
      percent !== undefined && { statedAdderPerKWh: (multiplier ?? 1) * perPercent * percent }),
    ...(basePrice !== undefined && { basePricePerKWh: basePrice }),
  };
}

function ratingOf(
  fields: WireFields,
  constraints: WireFields | undefined,
  adder: WireFields | undefined,
  loadKW: number | undefined,
  loadPercent: number | undefined,
): number | undefined {
  for (const holder of [adder, constraints, fields]) {
    const ratingKW = holder?.number("ratingKW");
    if (ratingKW === undefined) continue;
    if (ratingKW <= 0) holder?.fail("ratingKW", "expected a number above 0");
    return ratingKW;
  }
  const forwardKW = constraints?.number("maxForwardFlowKW");
  if (forwardKW !== undefined && forwardKW > 0) return forwardKW;
  return loadKW && loadPercent && loadKW / loadPercent > 0 ? (100 * loadKW) / loadPercent : undefined;
}

/** What the operator wants to be moved here, kW injected; without `enabled` its presence enables it. */
function readOffset(fields: WireFields): number | undefined {
  const command = fields.object("offsetCommand");
  if (command === undefined || command.boolean("enabled") === false) return undefined;
  return command.required("offsetKW", command.number("offsetKW"), "number");
}

/**
 * The market is above all nodes: those without a parent, and participants without a node, hang on it.
 */
export function underOneRoot(nodes: readonly ReadNode[]): readonly GridNode[] {
  const taken = new Set(nodes.map(({ node }) => node.era));
  let root = "market";
  while (taken.has(root)) root = `${root}~`;
  return [{ era: root }, ...nodes.map(({ node }) => ({ ...node, parent: node.parent ?? root }))];
}
