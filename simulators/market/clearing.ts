import type { BidPoint } from "../../src/model/bid-curve.ts";

/** One participant's curve: linear between the points, flat outside, two points at one price are a jump. */
export interface Bid {
  /** Unique in one clearing. */
  readonly id: string;
  /** At least one; neither price nor power ever falls. kW, export positive. */
  readonly points: readonly BidPoint[];
}

/** One price for all, and the powers that follow from it. kW, export positive. */
export interface Clearing {
  readonly pricePerKWh: number;
  readonly setpointsKW: ReadonlyMap<string, number>;
  /** What the outside grid gives (positive) or takes; makes the sum of all powers 0. */
  readonly gridKW: number;
}

/** Powers that a curve accepts at exactly one price; they differ only at a jump. */
export interface PowerRange {
  readonly lowKW: number;
  readonly highKW: number;
}

/**
 * Finds the price at which bids, grid and fixed load sum to zero.
 *
 * Exact: the sum of piecewise-linear curves is linear between two neighbouring breakpoints, so the crossing is found by
 * halving the list of breakpoints and then by one division. Where the sum jumps over zero, every participant gets the
 * same share of its own jump (pro rata). Where it lies at zero over a range of prices, the middle of the range is the
 * price. The order of the bids changes nothing, not even the last bit.
 *
 * @param fixedKW power that no price moves, for example a house load (negative)
 * @returns nothing if no price balances them because the grid's curve is too short
 */
export function clear(bids: readonly Bid[], gridPoints: readonly BidPoint[], fixedKW: number): Clearing | undefined {
  const curves = [...bids.toSorted((a, b) => (a.id < b.id ? -1 : 1)).map((bid) => bid.points), gridPoints];
  const prices = breakpoints(curves);
  const upper = firstIndex(prices, (price) => sum(curves, price, "highKW") + fixedKW >= 0);
  const upperPrice = prices[upper];
  if (upperPrice === undefined) return undefined;

  const lowKW = sum(curves, upperPrice, "lowKW") + fixedKW;
  const lowerPrice = prices[upper - 1];
  if (lowKW > 0) {
    if (lowerPrice === undefined) return undefined;
    // Strictly between two breakpoints every curve is a straight line, and so is the sum.
    const fromKW = sum(curves, lowerPrice, "highKW") + fixedKW;
    const share = -fromKW / (lowKW - fromKW);
    const pricePerKWh = lowerPrice + share * (upperPrice - lowerPrice);
    const from = curves.map((points) => powerRange(points, lowerPrice).highKW);
    const to = curves.map((points) => powerRange(points, upperPrice).lowKW);
    return allocate(bids, from, to, share, pricePerKWh, fixedKW);
  }
  const highKW = sum(curves, upperPrice, "highKW") + fixedKW;
  const share = highKW > lowKW ? -lowKW / (highKW - lowKW) : 0;
  const from = curves.map((points) => powerRange(points, upperPrice).lowKW);
  const to = curves.map((points) => powerRange(points, upperPrice).highKW);
  return allocate(bids, from, to, share, middleOfPlateau(curves, prices, upper, fixedKW), fixedKW);
}

/** Power that all who give give and all who take take, kW, zero or positive. */
export function grossMatchedKW(powersKW: Iterable<number>): number {
  let givenKW = 0;
  for (const powerKW of powersKW) if (powerKW > 0) givenKW += powerKW;
  return givenKW;
}

/** Limits of the curve as the price comes from below (`lowKW`) and from above (`highKW`). */
export function powerRange(points: readonly BidPoint[], pricePerKWh: number): PowerRange {
  const atOrAbove = firstIndex(points, (point) => point.pricePerKWh >= pricePerKWh);
  const above = firstIndex(points, (point) => point.pricePerKWh > pricePerKWh);
  const right = points[atOrAbove];
  if (above > atOrAbove) {
    // The price stands in the list, once or as a jump.
    return { lowKW: right?.powerKW ?? 0, highKW: points[above - 1]?.powerKW ?? 0 };
  }
  const left = points[atOrAbove - 1];
  const powerKW =
    left === undefined || right === undefined ? (left ?? right)?.powerKW : between(left, right, pricePerKWh);
  return { lowKW: powerKW ?? 0, highKW: powerKW ?? 0 };
}

function between(left: BidPoint, right: BidPoint, pricePerKWh: number): number {
  const share = (pricePerKWh - left.pricePerKWh) / (right.pricePerKWh - left.pricePerKWh);
  const powerKW = left.powerKW + share * (right.powerKW - left.powerKW);
  return Math.min(Math.max(powerKW, left.powerKW), right.powerKW);
}

function allocate(
  bids: readonly Bid[],
  fromKW: readonly number[],
  toKW: readonly number[],
  share: number,
  pricePerKWh: number,
  fixedKW: number,
): Clearing {
  const setpointsKW = new Map<string, number>();
  let othersKW = fixedKW;
  for (const [index, bid] of bids.toSorted((a, b) => (a.id < b.id ? -1 : 1)).entries()) {
    const low = fromKW[index] ?? 0;
    const powerKW = low + share * ((toKW[index] ?? 0) - low);
    setpointsKW.set(bid.id, powerKW);
    othersKW += powerKW;
  }
  // What rounding leaves (about 1e-12 kW) is the grid's, so that the sum is zero.
  return { pricePerKWh, setpointsKW, gridKW: 0 - othersKW };
}

/** The price rule for a sum that stays at zero from the price at `index` on: the middle, or the finite end. */
function middleOfPlateau(
  curves: readonly (readonly BidPoint[])[],
  prices: readonly number[],
  index: number,
  fixedKW: number,
): number {
  const start = prices[index] ?? 0;
  if (sum(curves, start, "highKW") + fixedKW > 0) return start;
  let end = start;
  for (const price of prices.slice(index + 1)) {
    if (sum(curves, price, "lowKW") + fixedKW > 0) break;
    end = price;
    if (sum(curves, price, "highKW") + fixedKW > 0) break;
  }
  return start + (end - start) / 2;
}

function sum(curves: readonly (readonly BidPoint[])[], pricePerKWh: number, side: keyof PowerRange): number {
  let totalKW = 0;
  for (const points of curves) totalKW += powerRange(points, pricePerKWh)[side];
  return totalKW;
}

function breakpoints(curves: readonly (readonly BidPoint[])[]): number[] {
  const prices = new Set<number>();
  for (const points of curves) for (const point of points) prices.add(point.pricePerKWh);
  return [...prices].sort((a, b) => a - b);
}

/** Index of the first item that `holds`, given that all after it hold too; the length if none does. */
function firstIndex<T>(items: readonly T[], holds: (item: T) => boolean): number {
  let low = 0;
  let high = items.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (holds(items[middle] as T)) high = middle;
    else low = middle + 1;
  }
  return low;
}
