import type { ClearedNode, GridClearingResult, GridParticipant } from "../../clearing/grid-types.ts";
import type { Era } from "../../model/resource.ts";
import type { ReadNode } from "./grid-node-fields.ts";

/**
 * The fields of an `aggregationResult` (the seed, 3.2). `clearingQuantityKW` is what is generated in all, kW; consumption
 * and losses to the outside are its other side and not added to it. `clearingPrice` is the market's own, above all nodes.
 */
export function aggregationResult(
  result: GridClearingResult,
  nodes: readonly ReadNode[],
  participants: readonly GridParticipant[],
): object {
  const { status, pricePerKWh, plateau, clearedKW, externalKW, setpoints, unmetKW } = result;
  const cleared = new Map(result.nodes.map((node) => [node.era, node]));
  const loaded = nodesWithBids(nodes, participants);
  const stated = statedAdders(nodes, loaded);
  const locational = nodes.map(({ node: { era } }) => {
    const node = cleared.get(era);
    const found = node?.pricePerKWh ?? pricePerKWh;
    const price = found === undefined ? stated.priceAt(era) : found + stated.onTheWayTo(era);
    return locationalPrice(era, node, stated, price);
  });
  const [only, second] = locational;
  const offsets = nodes.flatMap((read) => offsetOf(read, cleared.get(read.node.era)));
  return {
    status,
    ...(pricePerKWh !== undefined && { clearingPrice: pricePerKWh }),
    ...(plateau !== undefined && {
      plateau: {
        ...(plateau.fromPerKWh !== undefined && { fromPrice: plateau.fromPerKWh }),
        ...(plateau.toPerKWh !== undefined && { toPrice: plateau.toPerKWh }),
      },
    }),
    clearingQuantityKW: clearedKW,
    ...(externalKW !== undefined && { externalKW }),
    setpoints: setpoints.map(({ era, powerKW }) => ({ era, setpointKW: powerKW + 0 })),
    ...(locational.length > 0 && { locationalPrices: locational }),
    ...(only?.price !== undefined && second === undefined && { locationalPrice: only.price }),
    ...(offsets.length > 0 && { offsets }),
    ...(unmetKW !== 0 && { unmetKW }),
  };
}

interface LocationalPrice {
  readonly era: Era;
  readonly price?: number;
  readonly adder: number;
  readonly flowKW: number;
  readonly congestionRentPerHour: number;
  readonly boundBy?: "FORWARD" | "REVERSE";
}

function locationalPrice(
  era: Era,
  cleared: ClearedNode | undefined,
  stated: StatedAdders,
  price: number | undefined,
): LocationalPrice {
  return {
    era,
    ...(price !== undefined && { price }),
    adder: (cleared?.adderPerKWh ?? 0) + stated.at(era),
    flowKW: (cleared?.flowKW ?? 0) + 0,
    congestionRentPerHour: (cleared?.congestionRentPerHour ?? 0) + 0,
    ...(cleared?.boundBy !== undefined && { boundBy: cleared.boundBy }),
  };
}

interface StatedAdders {
  at(era: Era): number;
  /** With those of all nodes above: adders are layered. */
  onTheWayTo(era: Era): number;
  /** The price that the nodes state by themselves: the nearest `basePrice` on the way up with the adders from there on. */
  priceAt(era: Era): number | undefined;
}

/** A node whose load no bid here causes has the adder that it states; elsewhere the clearing has found it already. */
function statedAdders(nodes: readonly ReadNode[], loaded: ReadonlySet<Era>): StatedAdders {
  const parentOf = new Map(nodes.map(({ node }) => [node.era, node.parent]));
  const stated = new Map<Era, number>();
  for (const { node, statedAdderPerKWh = 0 } of nodes) {
    const isComputed = loaded.has(node.era) && node.adder !== undefined;
    stated.set(node.era, isComputed ? 0 : statedAdderPerKWh);
  }
  const baseOf = new Map(nodes.map(({ node, basePricePerKWh }) => [node.era, basePricePerKWh]));
  return {
    at: (era) => stated.get(era) ?? 0,
    priceAt: (era) => {
      let adders = 0;
      for (let at: Era | undefined = era; at !== undefined; at = parentOf.get(at)) {
        adders += stated.get(at) ?? 0;
        const base = baseOf.get(at);
        if (base !== undefined) return base + adders;
      }
      return undefined;
    },
    onTheWayTo: (era) => {
      let sum = 0;
      for (let at: Era | undefined = era; at !== undefined; at = parentOf.get(at)) sum += stated.get(at) ?? 0;
      return sum;
    },
  };
}

function offsetOf({ node }: ReadNode, cleared: ClearedNode | undefined): object[] {
  if (node.offsetKW === undefined) return [];
  const unserved = cleared?.unservedOffsetKW;
  return [{ era: node.era, offsetKW: node.offsetKW, ...(unserved !== undefined && { unservedKW: unserved }) }];
}

/** Nodes with a bid on them or on one below. */
function nodesWithBids(nodes: readonly ReadNode[], participants: readonly GridParticipant[]): ReadonlySet<Era> {
  const parentOf = new Map(nodes.map(({ node }) => [node.era, node.parent]));
  const loaded = new Set<Era>();
  for (const { node } of participants) {
    for (let at = node; at !== undefined && !loaded.has(at); at = parentOf.get(at)) loaded.add(at);
  }
  return loaded;
}
