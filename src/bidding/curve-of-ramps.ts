import type { BidCurve, BidPoint } from "../model/bid-curve.ts";

/** A rise of power over a span of prices: all of it at one price if both are the same. */
export interface PowerRamp {
  readonly fromPricePerKWh: number;
  /** ≥ `fromPricePerKWh`. */
  readonly toPricePerKWh: number;
  /** kW, ≥ 0: consumption that ends, or generation that begins. */
  readonly riseKW: number;
}

/**
 * The curve that starts at `startKW` and rises by each ramp. A sum of rises never falls, so the curve is sound whatever
 * the ramps are and however they overlap.
 *
 * @param startKW power at a price below all ramps, kW, export positive
 * @param atPricePerKWh where the only point stands if no ramp rises
 */
export function curveOfRamps(
  startKW: number,
  ramps: readonly PowerRamp[],
  currency: string,
  atPricePerKWh = 0,
): BidCurve {
  const rising = ramps.filter((ramp) => ramp.riseKW > 0);
  const prices = [...new Set(rising.flatMap((ramp) => [ramp.fromPricePerKWh, ramp.toPricePerKWh]))];
  prices.sort((a, b) => a - b);
  const points: BidPoint[] = [];
  let reachedKW = startKW;
  for (const pricePerKWh of prices) {
    for (const side of [jumpsBelow, jumpsUpTo]) {
      const risenKW = rising.reduce((sum, ramp) => sum + ramp.riseKW * shareRisen(ramp, pricePerKWh, side), 0);
      // Sums of the same terms may differ in the last bit; the curve must not fall by it.
      reachedKW = Math.max(reachedKW, startKW + risenKW);
      points.push({ pricePerKWh, powerKW: withoutDust(reachedKW) });
    }
  }
  if (points.length === 0) points.push({ pricePerKWh: atPricePerKWh, powerKW: withoutDust(startKW) });
  return { shape: "LINEAR", currency, points: withoutRepeats(points) };
}

/** Cuts off all that a curve would do at a price above `pricePerKWh`, where it jumps to `powerKW` and stays. */
export function jumpAt(curve: BidCurve, pricePerKWh: number, powerKW: number, belowKW: number): BidCurve {
  const points = curve.points.filter((point) => point.pricePerKWh < pricePerKWh);
  // Where nothing is cut off, both may differ in the last bit; the curve must not fall by it.
  const aboveKW = Math.max(powerKW, belowKW);
  return {
    ...curve,
    points: withoutRepeats([...points, { pricePerKWh, powerKW: belowKW }, { pricePerKWh, powerKW: aboveKW }]),
  };
}

const jumpsBelow = (at: number, price: number) => at < price;
const jumpsUpTo = (at: number, price: number) => at <= price;

function shareRisen(ramp: PowerRamp, price: number, isPast: (at: number, price: number) => boolean): number {
  const { fromPricePerKWh: from, toPricePerKWh: to } = ramp;
  if (to <= from) return isPast(from, price) ? 1 : 0;
  return Math.min(Math.max((price - from) / (to - from), 0), 1);
}

/** A remainder of a subtraction is no power, and −0 is 0. */
function withoutDust(powerKW: number): number {
  return Math.abs(powerKW) < 1e-9 ? 0 : powerKW;
}

/** Leaves out points that say nothing: twice the same, or in the middle of a level stretch. */
export function withoutRepeats(points: readonly BidPoint[]): BidPoint[] {
  const distinct = points.filter((point, index) => {
    const before = points[index - 1];
    return before === undefined || before.pricePerKWh !== point.pricePerKWh || before.powerKW !== point.powerKW;
  });
  return distinct.filter((point, index) => {
    const before = distinct[index - 1];
    const after = distinct[index + 1];
    return (
      before === undefined || after === undefined || before.powerKW !== point.powerKW || point.powerKW !== after.powerKW
    );
  });
}
