import {
  constantGraph,
  GraphBuilder,
  highestKW,
  isMarketPrice,
  lowestKW,
  type PriceGraph,
  powerBefore,
} from "./price-graph.ts";

/** The line with its powers kept within `[lowKW, highKW]`; where it crosses a bound, it gets a corner there. */
export function cutPower(graph: PriceGraph, lowKW: number, highKW: number): PriceGraph {
  if (lowestKW(graph) >= lowKW && highestKW(graph) <= highKW) return graph;
  const cut = new GraphBuilder();
  const { prices, ranks, powers } = graph;
  for (let index = 0; index < powers.length; index++) {
    const power = powers[index] as number;
    for (const bound of lowKW < highKW ? [lowKW, highKW] : [lowKW]) {
      if (index > 0 && (powers[index - 1] as number) < bound && bound < power) addCrossing(cut, graph, index, bound);
    }
    if (lowKW <= power && power <= highKW) cut.add(prices[index] as number, ranks[index] as number, power);
  }
  // Nothing of the line is within: it lies on one side as a whole.
  if (cut.prices.length === 0) return constantGraph(lowestKW(graph) > highKW ? highKW : lowKW);
  return cut;
}

/**
 * The line as it looks from the parent of a node whose price rises with its load: `price here = price above + slope ×
 * import`. Solved for the price above, each corner moves down by slope × import. Both terms only rise with the power, so
 * the result is a line again, whatever lies below, and no price ever has to be tried.
 *
 * @param slopePerKW currency per kWh for each kW of import, ≥ 0
 */
export function throughAdder(graph: PriceGraph, slopePerKW: number): PriceGraph {
  if (slopePerKW === 0 || lowestKW(graph) >= 0) return graph;
  const seen = new GraphBuilder();
  const { prices, ranks, powers } = graph;
  for (let index = 0; index < powers.length; index++) {
    const power = powers[index] as number;
    // From here on nothing is imported and the price is that of the parent.
    if (index > 0 && (powers[index - 1] as number) < 0 && 0 < power) addCrossing(seen, graph, index, 0);
    const price = prices[index] as number;
    const above = power < 0 ? price + slopePerKW * power : price;
    // Pieces of one jump now have prices of their own, which keep them in order better than their ranks.
    seen.add(above, above === price ? (ranks[index] as number) : 0, power);
  }
  return seen;
}

/**
 * The line where the parent's price has a floor. An adder lets those below go on where the parent would have to be cheaper
 * than that; it never is, so nothing happens there, and what comes at the levels comes on top of the power at the floor.
 */
export function holdUnderFloor(graph: PriceGraph, minPrice: number): PriceGraph {
  const { prices, ranks, powers } = graph;
  const first = prices.findIndex(isMarketPrice);
  if (first < 0 || (prices[first] as number) >= minPrice) return graph;
  const floorKW = powerBefore(graph, minPrice, Number.NEGATIVE_INFINITY);
  const heldKW = floorKW - (powers[first] as number);
  const held = new GraphBuilder();
  for (let index = 0; index < first; index++) {
    held.add(prices[index] as number, ranks[index] as number, (powers[index] as number) + heldKW);
  }
  held.add(minPrice, 0, floorKW);
  for (let index = first; index < prices.length; index++) {
    const price = prices[index] as number;
    if (price >= minPrice) held.add(price, ranks[index] as number, powers[index] as number);
  }
  return held;
}

/** Adds the corner at which the piece that ends in corner `index` passes a power. */
function addCrossing(builder: GraphBuilder, graph: PriceGraph, index: number, powerKW: number): void {
  const { prices, ranks, powers } = graph;
  const from = prices[index - 1] as number;
  const to = prices[index] as number;
  if (from === to) {
    builder.add(from, ranks[index - 1] as number, powerKW);
    return;
  }
  const low = powers[index - 1] as number;
  const share = (powerKW - low) / ((powers[index] as number) - low);
  // Rounding must not carry it past the end of its own piece.
  const price = Math.min(to, from + share * (to - from));
  builder.add(price, price === from ? (ranks[index - 1] as number) : 0, powerKW);
}
