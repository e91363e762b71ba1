import type { BidCurve } from "../model/bid-curve.ts";
import type { Objective } from "../model/objective.ts";

/**
 * The curve for energy that does not come from the preferred source: it is bid for as if it cost `adderPerKWh` more, so
 * every step of what can wait moves down by that much. What must run holds at any price and stays.
 *
 * Only the charging part moves; what a car gives back has no source of its own. A curve that takes the same at all prices
 * has nothing to move: a preference needs prices that matter.
 *
 * @param adderPerKWh currency per kWh, ≥ 0
 */
export function shiftForOtherSource(curve: BidCurve, adderPerKWh: number): BidCurve {
  if (adderPerKWh <= 0) return curve;
  return {
    ...curve,
    points: curve.points.map((point, index) => {
      const before = curve.points[index - 1] ?? point;
      const charges = point.powerKW < 0 || before.powerKW < 0;
      return charges ? { ...point, pricePerKWh: point.pricePerKWh - adderPerKWh } : point;
    }),
  };
}

/** True if the market says where its energy comes from, and that is not what the objective prefers. */
export function isOtherSource(objective: Objective | undefined, offeredSource: string | undefined): boolean {
  const preferred = objective?.preferredSource;
  if (preferred === undefined || offeredSource === undefined) return false;
  return preferred.toUpperCase() !== offeredSource.toUpperCase();
}
