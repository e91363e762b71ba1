import type { BidCurve, BidPoint } from "../model/bid-curve.ts";
import { withoutRepeats } from "./curve-of-ramps.ts";

/**
 * A cleared power as a device can run it that knows 0 and everything from a least power on, but nothing between (a car
 * needs 6 A, IEC 61851-1). A power between becomes the least one if energy is needed now, else 0.
 *
 * @param powerKW kW, export positive
 * @param minRunKW least magnitude at which the device runs, kW, ≥ 0
 * @param mustRun true if some consumption can't wait
 */
export function snapToRunnable(powerKW: number, minRunKW: number, mustRun: boolean): number {
  if (powerKW === 0 || Math.abs(powerKW) >= minRunKW) return powerKW;
  return mustRun && powerKW < 0 ? -minRunKW : 0;
}

/**
 * The curve of a device that can't run below `minRunKW`: what lies between becomes 0, with a jump at the price where the
 * least power is reached. Off its jumps such a curve only names powers that the device can run.
 */
export function runnableCurve(curve: BidCurve, minRunKW: number): BidCurve {
  if (minRunKW <= 0) return curve;
  const points: BidPoint[] = [];
  for (const [index, point] of curve.points.entries()) {
    const before = curve.points[index - 1];
    if (before !== undefined) points.push(...crossings(before, point, minRunKW));
    points.push({ ...point, powerKW: snapToRunnable(point.powerKW, minRunKW, false) });
  }
  return { ...curve, points: withoutRepeats(points) };
}

/** The jumps that a line between two points needs where it enters or leaves the span that can't be run. */
function crossings(before: BidPoint, after: BidPoint, minRunKW: number): BidPoint[] {
  const priceAt = (powerKW: number) => {
    const share = (powerKW - before.powerKW) / (after.powerKW - before.powerKW);
    const price = before.pricePerKWh + share * (after.pricePerKWh - before.pricePerKWh);
    return Math.min(Math.max(price, before.pricePerKWh), after.pricePerKWh);
  };
  const points: BidPoint[] = [];
  if (before.powerKW <= -minRunKW && after.powerKW > -minRunKW) {
    const pricePerKWh = priceAt(-minRunKW);
    points.push({ pricePerKWh, powerKW: -minRunKW }, { pricePerKWh, powerKW: 0 });
  }
  if (before.powerKW < minRunKW && after.powerKW >= minRunKW) {
    const pricePerKWh = priceAt(minRunKW);
    points.push({ pricePerKWh, powerKW: 0 }, { pricePerKWh, powerKW: minRunKW });
  }
  return points;
}
