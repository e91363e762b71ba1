/**
 * Which powers go with which prices: a line in the plane of price and power that only ever goes right or up. A jump of a
 * curve is an upright piece, a plateau a level one, and outside the corners the end powers hold. Sums, cuts and shears of
 * such lines are such lines again, so a whole grid needs nothing else. Every corner keeps its own price as a double; there
 * is no price grid and no accumulated slope, so nothing is lost by adding many.
 *
 * Three arrays of one length rather than objects: a grid has hundreds of thousands of corners.
 */
export interface PriceGraph {
  /** Currency per kWh, non-decreasing. */
  readonly prices: readonly number[];
  /**
   * Order among jumps at one price, non-decreasing at one price: what has a lower rank rises first. All 0 where jumps are
   * shared in proportion. At most two corners have the same price and rank: the foot and the top of a jump.
   */
  readonly ranks: readonly number[];
  /** kW, export positive, non-decreasing. */
  readonly powers: readonly number[];
}

/**
 * Prices no market has, for what happens only after every bid is at its end: first an offset gives way, then bids are
 * rationed. Finite, so that no difference of two is NaN; far enough out to swallow any adder.
 */
export const OFFSET_LEVEL = 1e200;
export const RATIONING_LEVEL = 1e250;

/** Whether a price is one that somebody could pay, and neither a level nor the open end of a line. */
export function isMarketPrice(price: number): boolean {
  return Math.abs(price) < OFFSET_LEVEL;
}

/** Difference of powers that counts as rounding for a line, kW: a microwatt, more only in very large grids. */
export function roundingKW(graph: PriceGraph): number {
  return 1e-9 + 1e-14 * Math.max(Math.abs(lowestKW(graph)), Math.abs(highestKW(graph)));
}

/** Puts a line together corner by corner, from low prices to high. */
export class GraphBuilder implements PriceGraph {
  readonly prices: number[] = [];
  readonly ranks: number[] = [];
  readonly powers: number[] = [];

  /** Corners come in order; a power that rounding has let fall below the one before is lifted to it. */
  add(price: number, rank: number, powerKW: number): void {
    const last = this.prices.length - 1;
    let power = powerKW;
    if (last >= 0) {
      const before = this.powers[last] as number;
      if (power < before) power = before;
      if (this.prices[last] === price && this.ranks[last] === rank) {
        if (power === before) return;
        if (last > 0 && this.prices[last - 1] === price && this.ranks[last - 1] === rank) {
          this.powers[last] = power;
          return;
        }
      }
    }
    this.prices.push(price);
    this.ranks.push(rank);
    this.powers.push(power);
  }
}

/** A power that no price changes. Its one corner is at a level, so that it marks no price in the market. */
export function constantGraph(powerKW: number): PriceGraph {
  return { prices: [-RATIONING_LEVEL], ranks: [0], powers: [powerKW] };
}

/** The least power at any price, kW. */
export function lowestKW(graph: PriceGraph): number {
  return graph.powers[0] as number;
}

/** The greatest power at any price, kW. */
export function highestKW(graph: PriceGraph): number {
  return graph.powers[graph.powers.length - 1] as number;
}

/** The first and the last price of the market at which something changes. */
export interface PriceEnds {
  readonly first: number;
  readonly last: number;
}

/** Where the power starts and where it ends to change; absent where no price of the market changes it. */
export function priceEnds(graph: PriceGraph): PriceEnds | undefined {
  const { prices, powers } = graph;
  let low = prices.findIndex(isMarketPrice);
  let high = prices.findLastIndex(isMarketPrice);
  while (low < high && powers[low + 1] === powers[low]) low++;
  while (high > low && powers[high - 1] === powers[high]) high--;
  return low >= high ? undefined : { first: prices[low] as number, last: prices[high] as number };
}

/** The outermost of several ends. */
export function endsOfAll(each: readonly (PriceEnds | undefined)[]): PriceEnds | undefined {
  let all: PriceEnds | undefined;
  for (const ends of each) {
    if (ends === undefined) continue;
    all = { first: Math.min(ends.first, all?.first ?? ends.first), last: Math.max(ends.last, all?.last ?? ends.last) };
  }
  return all;
}

/** Power just below a price and rank: the foot of the jump if one is there. */
export function powerBefore(graph: PriceGraph, price: number, rank: number): number {
  const index = firstCornerFrom(graph, price, rank);
  return isAt(graph, index, price, rank) ? (graph.powers[index] as number) : powerLeftOf(graph, index, price);
}

/** Power just above a price and rank: the top of the jump if one is there. */
export function powerAfter(graph: PriceGraph, price: number, rank: number): number {
  const index = firstCornerFrom(graph, price, rank);
  if (isAt(graph, index + 1, price, rank)) return graph.powers[index + 1] as number;
  return isAt(graph, index, price, rank) ? (graph.powers[index] as number) : powerLeftOf(graph, index, price);
}

/** Power at a price that lies before corner `index` and after the one before it. */
export function powerLeftOf(graph: PriceGraph, index: number, price: number): number {
  const { prices, powers } = graph;
  if (index === 0) return powers[0] as number;
  if (index >= powers.length) return powers[powers.length - 1] as number;
  const low = powers[index - 1] as number;
  const high = powers[index] as number;
  const from = prices[index - 1] as number;
  const to = prices[index] as number;
  if (low === high || to <= from) return low;
  return Math.min(high, low + ((price - from) / (to - from)) * (high - low));
}

/** Index of the first corner whose power is at least this, or the number of corners. */
export function firstWithPower(graph: PriceGraph, powerKW: number): number {
  let low = 0;
  let high = graph.powers.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((graph.powers[middle] as number) < powerKW) low = middle + 1;
    else high = middle;
  }
  return low;
}

function firstCornerFrom(graph: PriceGraph, price: number, rank: number): number {
  const { prices, ranks } = graph;
  let low = 0;
  let high = prices.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const there = prices[middle] as number;
    if (there < price || (there === price && (ranks[middle] as number) < rank)) low = middle + 1;
    else high = middle;
  }
  return low;
}

function isAt(graph: PriceGraph, index: number, price: number, rank: number): boolean {
  return graph.prices[index] === price && graph.ranks[index] === rank;
}
