import { constantGraph, GraphBuilder, type PriceGraph, powerLeftOf } from "./price-graph.ts";

/**
 * The powers of many lines added at each price. Two by two in a balanced tree, in the order given: every corner passes
 * log2(n) additions, so time and rounding stay small, and the same order gives the same bits.
 *
 * @param fixedKW added at every price
 */
export function sumGraphs(graphs: readonly PriceGraph[], fixedKW: number): PriceGraph {
  let layer = graphs;
  while (layer.length > 1) {
    const next: PriceGraph[] = [];
    for (let index = 0; index < layer.length; index += 2) {
      const left = layer[index] as PriceGraph;
      const right = layer[index + 1];
      next.push(right === undefined ? left : sumOfTwo(left, right));
    }
    layer = next;
  }
  const sum = layer[0];
  if (sum === undefined) return constantGraph(fixedKW);
  return fixedKW === 0 ? sum : { ...sum, powers: sum.powers.map((powerKW) => powerKW + fixedKW) };
}

function sumOfTwo(a: PriceGraph, b: PriceGraph): PriceGraph {
  const sum = new GraphBuilder();
  const endA = a.prices.length;
  const endB = b.prices.length;
  let indexA = 0;
  let indexB = 0;
  while (indexA < endA || indexB < endB) {
    const order = indexA === endA ? 1 : indexB === endB ? -1 : compareCorners(a, indexA, b, indexB);
    const from = order <= 0 ? a : b;
    const at = order <= 0 ? indexA : indexB;
    const price = from.prices[at] as number;
    const rank = from.ranks[at] as number;
    // Foot and top of both lines at this price and rank; where a line has no corner here the two are the same.
    let footA: number;
    let topA: number;
    if (order <= 0) {
      footA = a.powers[indexA] as number;
      indexA += a.prices[indexA + 1] === price && a.ranks[indexA + 1] === rank ? 2 : 1;
      topA = a.powers[indexA - 1] as number;
    } else {
      footA = topA = powerLeftOf(a, indexA, price);
    }
    let footB: number;
    let topB: number;
    if (order >= 0) {
      footB = b.powers[indexB] as number;
      indexB += b.prices[indexB + 1] === price && b.ranks[indexB + 1] === rank ? 2 : 1;
      topB = b.powers[indexB - 1] as number;
    } else {
      footB = topB = powerLeftOf(b, indexB, price);
    }
    sum.add(price, rank, footA + footB);
    if (topA !== footA || topB !== footB) sum.add(price, rank, topA + topB);
  }
  return sum;
}

function compareCorners(a: PriceGraph, indexA: number, b: PriceGraph, indexB: number): number {
  const byPrice = (a.prices[indexA] as number) - (b.prices[indexB] as number);
  return byPrice !== 0 ? byPrice : (a.ranks[indexA] as number) - (b.ranks[indexB] as number);
}
