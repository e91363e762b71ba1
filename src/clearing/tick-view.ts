import { riseWithin } from "./bends.ts";
import type { CurveColumns } from "./curve-columns.ts";
import { ExactSum } from "./exact-sum.ts";
import { FIRST_TICK, LAST_TICK, tickStart } from "./price-ticks.ts";

/** What the sums of the cells say about a tick. */
export interface TickSums {
  readonly tick: number;
  /** The sum of all curves at the begin, before and after the jump there, kW. */
  readonly beforeKW: number;
  readonly afterKW: number;
  /** The sum at the end, before any jump there. */
  readonly endKW: number;
  /** The rise of lines that begin or end in the bucket, exact. */
  readonly runCoarseKW: number;
  readonly runFineKW: number;
  /** The rise of lines that pass the whole bucket. */
  readonly evenKW: number;
}

/**
 * One tick seen from near: the sum of all curves at its begin, at each price within it at which a curve bends or jumps, and
 * at its end. Between two of these places the sum is a straight line. Places count from 0, the begin, to `last`, the end.
 */
export class TickView {
  readonly last: number;
  readonly #columns: CurveColumns;
  readonly #slots: readonly number[];
  readonly #begin: number;
  readonly #end: number;
  readonly #prices: readonly number[];
  readonly #beforeKW: number;
  #afterKW: number;
  #endKW: number;
  /** Rise over the tick of all curves that don't bend within it. */
  readonly #straightKW: number;

  /** @param slots the curves that bend or jump strictly within the tick */
  constructor(columns: CurveColumns, slots: readonly number[], sums: TickSums) {
    const { tick } = sums;
    this.#columns = columns;
    this.#slots = slots;
    this.#begin = tick === FIRST_TICK ? Number.NEGATIVE_INFINITY : tickStart(tick);
    this.#end = tick === LAST_TICK ? Number.POSITIVE_INFINITY : tickStart(tick + 1);
    this.#beforeKW = sums.beforeKW;
    this.#afterKW = sums.afterKW;
    this.#endKW = sums.endKW;
    this.#prices = slots.length === 0 ? [] : pricesInside(columns, slots, this.#begin, this.#end);
    this.last = this.#prices.length + 1;
    const bentInSums = riseWithin(columns, slots, tick);
    const runKW = sums.runCoarseKW - bentInSums.coarseKW + (sums.runFineKW - bentInSums.fineKW);
    this.#straightKW = Math.max(runKW, 0) + sums.evenKW;
    if (slots.length === 0) return;
    // The sums may know a line a little too late; its own curve is right, and at the end of the line they agree.
    const bent = new ExactSum();
    for (const slot of slots) {
      bent.add(columns.powerBelow(slot, this.#end));
      bent.subtract(columns.powerAbove(slot, this.#begin));
    }
    if (Number.isFinite(this.#end)) {
      this.#afterKW = Math.max(this.#afterKW, this.#endKW - bent.valueKW - this.#straightKW);
    } else {
      this.#endKW = this.afterKW(this.last - 1);
    }
  }

  /** Its price; that of the nearest bend for the open side of an outermost tick, where nothing happens beyond. */
  priceAt(place: number): number {
    if (place === 0) return Number.isFinite(this.#begin) ? this.#begin : (this.#prices[0] ?? this.#end);
    const end = Number.isFinite(this.#end) ? this.#end : (this.#prices.at(-1) ?? this.#begin);
    return this.#prices[place - 1] ?? end;
  }

  /** The sum just below a place's price, kW. */
  beforeKW(place: number): number {
    if (place === 0) return this.#beforeKW;
    const price = this.#prices[place - 1];
    if (price === undefined) return this.#endKW;
    return this.#sum(price, (slot) => this.#columns.powerBelow(slot, price));
  }

  /** The sum just above a place's price, kW; what is beyond the end is not known here. */
  afterKW(place: number): number {
    if (place === 0) return this.#afterKW;
    const price = this.#prices[place - 1];
    if (price === undefined) return this.#endKW;
    return this.#sum(price, (slot) => this.#columns.powerAbove(slot, price));
  }

  /** The first place at which the sum has come up to a level; the end, if it has not before. */
  firstReaching(levelKW: number): number {
    let low = 0;
    let high = this.last;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.afterKW(middle) >= levelKW) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  /** The price at which the line up to a place passes a level. */
  priceOn(place: number, levelKW: number): number {
    const from = this.priceAt(place - 1);
    const to = this.priceAt(place);
    const fromKW = this.afterKW(place - 1);
    const share = (levelKW - fromKW) / (this.beforeKW(place) - fromKW);
    const price = share < 0.5 ? from + share * (to - from) : to - (1 - share) * (to - from);
    return Math.min(Math.max(price, from), to);
  }

  /** The price, from just above a place on, at which the sum first changes; nothing if it is level up to the end. */
  changeAfter(place: number): number | undefined {
    const levelKW = this.afterKW(place);
    for (let next = place + 1; next <= this.last; next++) {
      if (this.beforeKW(next) > levelKW) return this.priceAt(next - 1);
      if (next < this.last && this.afterKW(next) > levelKW) return this.priceAt(next);
    }
    return undefined;
  }

  /** The last price at which the sum changes. */
  lastChange(): number {
    for (let place = this.last; place > 0; place--) {
      if (this.#endKW > this.beforeKW(place)) return this.priceAt(place);
      if (this.#endKW > this.afterKW(place - 1)) return this.priceAt(place);
    }
    return this.#begin;
  }

  #sum(price: number, powerOf: (slot: number) => number): number {
    const bent = new ExactSum();
    for (const slot of this.#slots) {
      bent.add(powerOf(slot));
      bent.subtract(this.#columns.powerAbove(slot, this.#begin));
    }
    const straightKW =
      this.#straightKW === 0 ? 0 : this.#straightKW * ((price - this.#begin) / (this.#end - this.#begin));
    // What is level must come out as the same number at each price, so that the sums are added last.
    return this.#afterKW + (bent.valueKW + straightKW);
  }
}

/** The prices strictly within a tick at which any of the curves bends or jumps, each once, rising. */
function pricesInside(columns: CurveColumns, slots: readonly number[], begin: number, end: number): number[] {
  const prices = new Set<number>();
  for (const slot of slots) {
    const start = columns.starts[slot] as number;
    for (let place = start; place < start + (columns.lengths[slot] as number); place++) {
      const price = columns.prices[place] as number;
      if (price > begin && price < end) prices.add(price);
    }
  }
  return [...prices].sort((a, b) => a - b);
}
