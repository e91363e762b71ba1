import type { GridClearingResult, GridNode } from "../../src/clearing/grid-types.ts";
import type { BidCurve } from "../../src/model/bid-curve.ts";
import type { GridCase } from "./random-grid.ts";

/** What it costs to cut a bid that no price moves; well above every price. */
const RATIONING_COST = 20;

/** A stretch of a bid: so many kW more, at a price that runs from one end to the other. */
export interface Stretch {
  readonly widthKW: number;
  readonly from: number;
  readonly to: number;
}

/** A curve as cost of each kW more, from the least power on. Written apart from the code under test, from the rules. */
export function stretches({ points, shape }: BidCurve): {
  readonly startKW: number;
  readonly stretches: readonly Stretch[];
} {
  const found: Stretch[] = [];
  const firstKW = points[0]?.powerKW ?? 0;
  const lastKW = points.at(-1)?.powerKW ?? 0;
  if (firstKW > 0) found.push({ widthKW: firstKW, from: -RATIONING_COST, to: -RATIONING_COST });
  for (const [index, point] of points.entries()) {
    const before = points[index - 1];
    if (before === undefined) continue;
    const [low, high] = [before.pricePerKWh, point.pricePerKWh];
    if (shape === "LINEAR") found.push({ widthKW: point.powerKW - before.powerKW, from: low, to: high });
    else {
      const levelKW = before.powerKW < 0 ? Math.min(0, point.powerKW) : before.powerKW;
      found.push({ widthKW: levelKW - before.powerKW, from: low, to: low });
      found.push({ widthKW: point.powerKW - levelKW, from: high, to: high });
    }
  }
  if (lastKW < 0) found.push({ widthKW: -lastKW, from: RATIONING_COST, to: RATIONING_COST });
  return { startKW: Math.min(firstKW, 0), stretches: found };
}

export function adderPerKW({ adder }: GridNode): number {
  return adder === undefined
    ? 0
    : ((adder.congestionMultiplier ?? 1) * adder.priceAdderPerPercent * 100) / adder.ratingKW;
}

/** The cost of what was cleared, by the same stretches. */
export function costOf({ nodes, participants, rules }: GridCase, result: GridClearingResult): number {
  const power = new Map(result.setpoints.map(({ era, powerKW }) => [era, powerKW]));
  const bids = participants.map(({ era, curve }) => ({ curve, powerKW: power.get(era) ?? Number.NaN }));
  if (rules.external !== undefined) bids.push({ curve: rules.external, powerKW: result.externalKW ?? Number.NaN });
  let cost = 0;
  for (const { curve, powerKW } of bids) {
    const { startKW, stretches: parts } = stretches(curve);
    let leftKW = powerKW - startKW;
    for (const { widthKW, from, to } of parts) {
      const taken = Math.min(widthKW, leftKW);
      if (taken > 0) cost += taken * from + (((to - from) / widthKW) * taken * taken) / 2;
      leftKW -= widthKW;
    }
  }
  for (const [index, node] of nodes.entries()) {
    const importKW = Math.max(0, -(result.nodes[index]?.flowKW ?? Number.NaN));
    cost += (adderPerKW(node) * importKW * importKW) / 2;
  }
  return cost;
}
