import type { BidPoint } from "../model/bid-curve.ts";
import { isInsideTick, tickOf } from "./price-ticks.ts";

/** What is steeper than this counts as this steep, kW per (currency per kWh), so that slopes can be added. */
const STEEPEST = 1e200;

/**
 * Many curves as columns of numbers, all linear between their points; two points at one price are a jump. A curve has a
 * slot; its points stand at `starts[slot]` and the `lengths[slot] - 1` places after it. A slot of length 0 is free.
 */
export class CurveColumns {
  starts: Int32Array;
  lengths: Int32Array;
  /** Places that a slot may use, so that a curve can be replaced where it stands. */
  #rooms: Int32Array;
  /** Currency per kWh. */
  prices: Float64Array;
  /** kW, export positive. */
  powers: Float64Array;
  /** The tick in which a line that begins at the point begins. */
  ticks: Int32Array;
  /** The tick in which a line that ends at the point ends: the one before, if the point is at the begin of its tick. */
  ticksUpTo: Int32Array;
  /** Slots in use, free ones between them included. */
  slots = 0;
  /** Whether any point ever written lies between two ticks; false saves the search for those. */
  hasPointsInside = false;
  #places = 0;
  /** Places that no slot uses any more. */
  #waste = 0;

  /** @param slots,places how many to make room for; both grow by themselves */
  constructor(slots = 16, places = 64) {
    this.starts = new Int32Array(slots);
    this.lengths = new Int32Array(slots);
    this.#rooms = new Int32Array(slots);
    this.prices = new Float64Array(places);
    this.powers = new Float64Array(places);
    this.ticks = new Int32Array(places);
    this.ticksUpTo = new Int32Array(places);
  }

  /** Columns of sound curves, each in the slot of its index. */
  static of(curves: readonly (readonly BidPoint[])[]): CurveColumns {
    let places = 0;
    for (const points of curves) places += points.length;
    const columns = new CurveColumns(curves.length, places);
    for (const [slot, points] of curves.entries()) columns.write(slot, points);
    return columns;
  }

  /** Puts a curve into a slot: a new one, or in place of what was there. */
  write(slot: number, points: readonly BidPoint[]): void {
    this.#growSlots(slot + 1);
    const room = this.#rooms[slot] as number;
    if (points.length > room) {
      this.#waste += room;
      this.#growPlaces(this.#places + points.length);
      this.starts[slot] = this.#places;
      this.#rooms[slot] = points.length;
      this.#places += points.length;
    }
    this.lengths[slot] = points.length;
    let place = this.starts[slot] as number;
    for (const { pricePerKWh, powerKW } of points) {
      this.prices[place] = pricePerKWh;
      this.powers[place] = powerKW;
      const tick = tickOf(pricePerKWh);
      const isInside = isInsideTick(pricePerKWh, tick);
      this.ticks[place] = tick;
      this.ticksUpTo[place] = isInside ? tick : tick - 1;
      if (isInside) this.hasPointsInside = true;
      place++;
    }
    if (this.#waste * 2 > this.#places && this.#waste > 1024) this.#compact();
  }

  clear(slot: number): void {
    this.lengths[slot] = 0;
  }

  /** Power below every price, kW. */
  firstKW(slot: number): number {
    return this.powers[this.starts[slot] as number] as number;
  }

  /** Power above every price, kW. */
  lastKW(slot: number): number {
    return this.powers[(this.starts[slot] as number) + (this.lengths[slot] as number) - 1] as number;
  }

  /** The limit of the power as the price comes from below, kW. */
  powerBelow(slot: number, pricePerKWh: number): number {
    return this.#power(slot, this.#firstAtOrOver(slot, pricePerKWh), pricePerKWh);
  }

  /** The limit of the power as the price comes from above, kW. */
  powerAbove(slot: number, pricePerKWh: number): number {
    return this.#power(slot, this.#firstOver(slot, pricePerKWh), pricePerKWh);
  }

  /** Slope just below a price, kW per (currency per kWh), finite however steep; jumps don't count. */
  slopeBelow(slot: number, pricePerKWh: number): number {
    return this.#slope(slot, this.#firstAtOrOver(slot, pricePerKWh));
  }

  /** Slope just above a price. */
  slopeAbove(slot: number, pricePerKWh: number): number {
    return this.#slope(slot, this.#firstOver(slot, pricePerKWh));
  }

  /** Place of the first point at or over a price; one past the last if there is none. */
  #firstAtOrOver(slot: number, pricePerKWh: number): number {
    let place = this.starts[slot] as number;
    const end = place + (this.lengths[slot] as number);
    while (place < end && (this.prices[place] as number) < pricePerKWh) place++;
    return place;
  }

  #firstOver(slot: number, pricePerKWh: number): number {
    let place = this.starts[slot] as number;
    const end = place + (this.lengths[slot] as number);
    while (place < end && (this.prices[place] as number) <= pricePerKWh) place++;
    return place;
  }

  #power(slot: number, right: number, pricePerKWh: number): number {
    const start = this.starts[slot] as number;
    if (right === start) return this.powers[start] as number;
    const fromKW = this.powers[right - 1] as number;
    if (right === start + (this.lengths[slot] as number)) return fromKW;
    const toKW = this.powers[right] as number;
    const from = this.prices[right - 1] as number;
    const to = this.prices[right] as number;
    if (pricePerKWh === to) return toKW;
    return fromKW + (toKW - fromKW) * ((pricePerKWh - from) / (to - from));
  }

  #slope(slot: number, right: number): number {
    const start = this.starts[slot] as number;
    if (right === start || right === start + (this.lengths[slot] as number)) return 0;
    const rise = (this.powers[right] as number) - (this.powers[right - 1] as number);
    return Math.min(rise / ((this.prices[right] as number) - (this.prices[right - 1] as number)), STEEPEST);
  }

  #growSlots(slots: number): void {
    this.slots = Math.max(this.slots, slots);
    if (slots <= this.starts.length) return;
    const size = Math.max(slots, this.starts.length * 2);
    this.starts = grown(this.starts, new Int32Array(size));
    this.lengths = grown(this.lengths, new Int32Array(size));
    this.#rooms = grown(this.#rooms, new Int32Array(size));
  }

  #growPlaces(places: number): void {
    if (places <= this.prices.length) return;
    const size = Math.max(places, this.prices.length * 2);
    this.prices = grown(this.prices, new Float64Array(size));
    this.powers = grown(this.powers, new Float64Array(size));
    this.ticks = grown(this.ticks, new Int32Array(size));
    this.ticksUpTo = grown(this.ticksUpTo, new Int32Array(size));
  }

  /** Moves all curves together, so that replaced ones leave nothing behind. */
  #compact(): void {
    const { prices, powers, ticks, ticksUpTo } = this;
    this.prices = new Float64Array(prices.length);
    this.powers = new Float64Array(prices.length);
    this.ticks = new Int32Array(prices.length);
    this.ticksUpTo = new Int32Array(prices.length);
    let place = 0;
    for (let slot = 0; slot < this.slots; slot++) {
      const from = this.starts[slot] as number;
      const length = this.lengths[slot] as number;
      this.prices.set(prices.subarray(from, from + length), place);
      this.powers.set(powers.subarray(from, from + length), place);
      this.ticks.set(ticks.subarray(from, from + length), place);
      this.ticksUpTo.set(ticksUpTo.subarray(from, from + length), place);
      this.starts[slot] = place;
      this.#rooms[slot] = length;
      place += length;
    }
    this.#places = place;
    this.#waste = 0;
  }
}

function grown<T extends Int32Array | Float64Array>(old: T, larger: T): T {
  larger.set(old);
  return larger;
}
