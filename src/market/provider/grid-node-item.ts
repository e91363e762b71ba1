import type { GridNode } from "../../clearing/grid-types.ts";
import type { Allotment } from "./provider-records.ts";

/** What a gate found at a resource's grid node. */
export type NodeState = NonNullable<Allotment["node"]>;

/** The item of a catalogue that shows a participant its transformer (the seed, 3.4): its load and what that costs. */
export function gridNodeItem(node: GridNode, state: NodeState, currency: string): object {
  const { era, maxForwardFlowKW, maxReverseFlowKW } = node;
  const price = priceAdder(node, state, currency);
  return {
    "@type": "beckn:Item",
    "beckn:id": era,
    "beckn:descriptor": { "@type": "beckn:Descriptor", "schema:name": era },
    "beckn:itemAttributes": {
      "@type": "GridNode",
      era,
      ...(node.parent !== undefined && { parent: node.parent }),
      ...(price !== undefined && { locationalPriceAdder: price }),
      gridConstraints: {
        ...(maxForwardFlowKW !== undefined && { maxForwardFlowKW }),
        ...(maxReverseFlowKW !== undefined && { maxReverseFlowKW }),
        currentLoadKW: loadKW(state),
      },
    },
  };
}

/**
 * The price at a node in the seed's words: `currentPrice` is the sum, `basePrice` what the node above has. Nothing where
 * the node has no adder of its own: what a limit adds follows no rate.
 */
export function priceAdder({ adder }: GridNode, state: NodeState, currency: string): object | undefined {
  if (adder === undefined || state.pricePerKWh === undefined) return undefined;
  return {
    basePrice: state.pricePerKWh - state.adderPerKWh,
    ...(adder.congestionMultiplier !== undefined && { congestionMultiplier: adder.congestionMultiplier }),
    // What flows out puts no price on the node.
    currentLoadPercent: Math.max(0, (100 * loadKW(state)) / adder.ratingKW),
    priceAdderPerPercent: adder.priceAdderPerPercent,
    ratingKW: adder.ratingKW,
    currentPrice: state.pricePerKWh,
    currency,
  };
}

/** Load is import: positive for what flows in, as the seed has it. */
function loadKW({ flowKW }: NodeState): number {
  return flowKW === 0 ? 0 : -flowKW;
}
