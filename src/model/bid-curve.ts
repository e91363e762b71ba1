/** One point of a bid curve. */
export interface BidPoint {
  /** Currency per kWh; the curve carries the currency. May be negative. */
  readonly pricePerKWh: number;
  /** kW, export positive. */
  readonly powerKW: number;
}

/**
 * `LINEAR` between points. `STEP`: nobody does more than was said at a price as good as that: a point that consumes holds
 * down to the point before ("5 kW if the price is at most 0.10"), one that generates holds up to the next, and between
 * the two kinds there is nothing. At a point itself any power between both sides is acceptable.
 */
export type CurveShape = "LINEAR" | "STEP";

/**
 * Power as a function of price. Power never falls as the price rises: a dearer price means less consumption or more
 * generation. Outside the points the end values hold.
 */
export interface BidCurve {
  readonly shape: CurveShape;
  /** ISO 4217. */
  readonly currency: string;
  /** At least one point; price non-decreasing, power non-decreasing. Two points at one price are a jump. */
  readonly points: readonly BidPoint[];
}

/** What is wrong with a curve. `index` is the second point of the bad pair. */
export interface CurveFault {
  readonly index: number;
  readonly fault: string;
}

/** Most points that a curve may have; more is refused, not cut. */
export const MAX_CURVE_POINTS = 1000;

/** Finds the first fault of a curve, or nothing if it is sound. Powers are never sorted silently. */
export function curveFault(points: readonly BidPoint[]): CurveFault | undefined {
  if (points.length === 0) return { index: 0, fault: "a bid curve needs at least one point" };
  if (points.length > MAX_CURVE_POINTS) {
    return { index: MAX_CURVE_POINTS, fault: `a bid curve may have at most ${MAX_CURVE_POINTS} points` };
  }
  for (const [index, point] of points.entries()) {
    if (!Number.isFinite(point.pricePerKWh)) return { index, fault: "price must be a finite number" };
    if (!Number.isFinite(point.powerKW)) return { index, fault: "powerKW must be a finite number" };
    const before = points[index - 1];
    if (before === undefined) continue;
    if (point.pricePerKWh < before.pricePerKWh) {
      return { index, fault: `price ${point.pricePerKWh} is below the price before it, ${before.pricePerKWh}` };
    }
    if (point.powerKW < before.powerKW) {
      return {
        index,
        fault: `powerKW ${point.powerKW} is below ${before.powerKW} at the lower price; power must not fall as price rises`,
      };
    }
  }
  return undefined;
}

/**
 * A curve whose dear end still consumes, with no objective behind it, is legal and almost always a slip: it says that the
 * device takes that power at any price.
 */
export function consumesAtAnyPrice(curve: BidCurve): boolean {
  const last = curve.points.at(-1);
  return last !== undefined && last.powerKW < 0;
}

/**
 * Every power that the curve accepts at a price, as `[low, high]`. The two differ only at a jump, where any power between
 * is acceptable at exactly that price.
 */
export function powerRangeAt(curve: BidCurve, pricePerKWh: number): { lowKW: number; highKW: number } {
  return { lowKW: sideLimit(curve, pricePerKWh, "below"), highKW: sideLimit(curve, pricePerKWh, "above") };
}

/** Power at a price, kW; at a jump the middle of it. */
export function powerAt(curve: BidCurve, pricePerKWh: number): number {
  const { lowKW, highKW } = powerRangeAt(curve, pricePerKWh);
  return lowKW === highKW ? lowKW : lowKW + (highKW - lowKW) / 2;
}

/** The limit of the curve as the price comes from one side. */
function sideLimit(curve: BidCurve, price: number, from: "below" | "above"): number {
  const { points, shape } = curve;
  const first = points[0];
  if (first === undefined) throw new RangeError("a bid curve needs at least one point");
  // Index of the last point at or under the price (seen from above), or strictly under it (seen from below).
  let left = -1;
  for (let index = 0; index < points.length; index++) {
    const point = points[index] as BidPoint;
    if (from === "above" ? point.pricePerKWh <= price : point.pricePerKWh < price) left = index;
    else break;
  }
  const before = points[left];
  const after = points[left + 1];
  if (before === undefined) return first.powerKW;
  if (after === undefined) return before.powerKW;
  if (shape === "STEP") return before.powerKW < 0 ? Math.min(after.powerKW, 0) : before.powerKW;
  // Seen from below at exactly the next point's price, the line has reached that point.
  const share = (price - before.pricePerKWh) / (after.pricePerKWh - before.pricePerKWh);
  return before.powerKW + share * (after.powerKW - before.powerKW);
}

/** The curve with its powers cut to `[minPowerKW, maxPowerKW]`; exact, and still non-decreasing. */
export function clipCurve(curve: BidCurve, minPowerKW: number, maxPowerKW: number): BidCurve {
  const points: BidPoint[] = [];
  for (const [index, point] of curve.points.entries()) {
    const before = curve.points[index - 1];
    if (before !== undefined && curve.shape === "LINEAR") {
      for (const level of [minPowerKW, maxPowerKW]) {
        if (before.powerKW < level && level < point.powerKW) {
          const share = (level - before.powerKW) / (point.powerKW - before.powerKW);
          const price = before.pricePerKWh + share * (point.pricePerKWh - before.pricePerKWh);
          // Rounding must not carry it past the end of its own segment.
          points.push({ pricePerKWh: Math.min(price, point.pricePerKWh), powerKW: level });
        }
      }
    }
    points.push({ pricePerKWh: point.pricePerKWh, powerKW: Math.min(Math.max(point.powerKW, minPowerKW), maxPowerKW) });
  }
  return { ...curve, points };
}
