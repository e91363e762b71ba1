import { firstWithPower, highestKW, lowestKW, type PriceGraph, powerAfter, powerBefore } from "./price-graph.ts";

/**
 * Shares a flow among the lines that a line is the sum of. The flow lies on one piece of the sum, and between two corners
 * of the sum every part is straight, so each part goes the same share of its own way. That holds for a slope as for a
 * jump, and needs no price, whose rounding on a steep slope would become a power.
 *
 * @param whole `sumGraphs(parts, fixedKW)`
 * @param flowKW within the powers of `whole`; where it is not, the nearest that is
 * @returns kW of each part; with `fixedKW` they add up to the flow, and none leaves its own line
 */
export function splitFlow(
  parts: readonly PriceGraph[],
  whole: PriceGraph,
  fixedKW: number,
  flowKW: number,
): readonly number[] {
  const { prices, ranks, powers } = whole;
  const right = Math.min(firstWithPower(whole, flowKW), powers.length - 1);
  const left = Math.max(right - 1, 0);
  const [fromPrice, fromRank] = [prices[left] as number, ranks[left] as number];
  const [toPrice, toRank] = [prices[right] as number, ranks[right] as number];
  const jump = fromPrice === toPrice && fromRank === toRank;
  const width = (powers[right] as number) - (powers[left] as number);
  // Without width the flow is at or under the least that the line has.
  const share = width > 0 ? Math.min(1, Math.max(0, (flowKW - (powers[left] as number)) / width)) : 0;

  const shares: number[] = [];
  let restKW = Math.min(Math.max(flowKW, lowestKW(whole)), highestKW(whole)) - fixedKW;
  let widest = 0;
  let widestKW = -1;
  for (const [index, part] of parts.entries()) {
    const footKW =
      jump || left === right ? powerBefore(part, fromPrice, fromRank) : powerAfter(part, fromPrice, fromRank);
    const topKW = jump || left === right ? powerAfter(part, toPrice, toRank) : powerBefore(part, toPrice, toRank);
    const powerKW = Math.min(topKW, footKW + share * (topKW - footKW));
    shares.push(powerKW);
    restKW -= powerKW;
    if (topKW - footKW > widestKW) {
      widestKW = topKW - footKW;
      widest = index;
    }
  }
  // What rounding has left goes to the part that has moved most.
  const part = parts[widest];
  if (part !== undefined && restKW !== 0) {
    shares[widest] = Math.min(Math.max((shares[widest] as number) + restKW, lowestKW(part)), highestKW(part));
  }
  return shares;
}
