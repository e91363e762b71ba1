import { type CellSums, type CellWalk, changes, NO_CELL, newWalk } from "./cell-sums.ts";
import type { CurveColumns } from "./curve-columns.ts";
import type { ExactSum } from "./exact-sum.ts";
import { BUCKET_BITS, TICKS_PER_BUCKET, tickStart } from "./price-ticks.ts";
import { TickView } from "./tick-view.ts";

/** Powers that differ by no more than this, kW, count as equal: what decimal fractions lose as doubles, and no more. */
const SAME_KW = 1e-9;
/** What the sums themselves may have lost, kW. */
const ROUNDING_KW = 1e-12;

/** Sums of all curves by price, as the search needs them. */
export interface PriceSums {
  readonly columns: CurveColumns;
  /** Sum of all powers below every price. */
  readonly base: ExactSum;
  readonly buckets: CellSums;
  /** Bucket of the first cell of `buckets`. */
  readonly firstBucket: number;
  /** What begins or ends in the ticks of a bucket. */
  ticksOf(bucket: number): CellSums;
  /** Slots of the curves that bend or jump strictly between the ends of a tick; in any order. */
  slotsInside(tick: number): readonly number[];
}

/**
 * Where the sum of all curves meets the target.
 *
 * `AT`: at one price; `side` says which end of their jumps at that price the curves are to take. `JUMP`: within a jump.
 * `BAND`: anywhere between two prices, of which one or both may be absent because nothing changes any more. `UNDER`: the
 * sum stays below the target at every price; `OVER`: above. The price with these is the last or first one at which
 * anything changes, if there is any.
 */
export type Crossing =
  | { readonly kind: "AT"; readonly pricePerKWh: number; readonly side: "LOW" | "HIGH" }
  | { readonly kind: "JUMP"; readonly pricePerKWh: number }
  | { readonly kind: "BAND"; readonly fromPerKWh?: number; readonly toPerKWh?: number }
  | { readonly kind: "UNDER"; readonly pricePerKWh?: number }
  | { readonly kind: "OVER"; readonly pricePerKWh?: number };

/** Finds where the sum of all curves meets a target, kW. Depends on the curves alone, not on their order. */
export function findCrossing(sums: PriceSums, targetKW: number): Crossing {
  return crossingFrom(sums, targetKW, targetKW - SAME_KW);
}

/** @param lowKW from where on the sum counts as having come up to the target */
function crossingFrom(sums: PriceSums, targetKW: number, lowKW: number): Crossing {
  const highKW = targetKW + SAME_KW;
  const baseKW = sums.base.valueKW;
  if (baseKW > highKW) return { kind: "OVER", ...priced(firstChange(sums)) };
  if (baseKW >= lowKW) return band(undefined, firstChange(sums));

  const walk = newWalk();
  const cell = sums.buckets.seek(sums.base.coarseKW, sums.base.fineKW, 0, lowKW, walk);
  if (cell === NO_CELL) return { kind: "UNDER", ...priced(lastChange(sums)) };
  const bucket = sums.firstBucket + cell;
  const evenKW = walk.runCoarseKW + walk.runFineKW;
  const startCoarseKW = sums.base.coarseKW + walk.beforeCoarseKW;
  const startFineKW = sums.base.fineKW + walk.beforeFineKW;

  const ticks = sums.ticksOf(bucket);
  const found = ticks.seek(startCoarseKW, startFineKW, evenKW, lowKW, walk);
  // Both levels say the same of the end of the bucket but for the last rounding.
  const within = found === NO_CELL ? TICKS_PER_BUCKET - 1 : found;
  const tick = (bucket << BUCKET_BITS) + within;
  const ownCoarseKW = ticks.ownCoarseKW(within);
  const ownFineKW = ticks.ownFineKW(within);
  const evenPerTickKW = evenKW / TICKS_PER_BUCKET;
  const beginCoarseKW = startCoarseKW + walk.beforeCoarseKW;
  const beginFineKW = startFineKW + walk.beforeFineKW;
  const beforeKW = beginCoarseKW + beginFineKW + evenPerTickKW * within;
  const afterKW = beginCoarseKW + ownCoarseKW + (beginFineKW + ownFineKW) + evenPerTickKW * within;
  const endCoarseKW = beginCoarseKW + ownCoarseKW + walk.runCoarseKW;
  const endFineKW = beginFineKW + ownFineKW + walk.runFineKW;
  const endKW = endCoarseKW + endFineKW + evenPerTickKW * (within + 1);

  const { runCoarseKW, runFineKW } = walk;
  const seen = { tick, beforeKW, afterKW, endKW, runCoarseKW, runFineKW, evenKW: evenPerTickKW };
  const view = new TickView(sums.columns, sums.slotsInside(tick), seen);
  const at = view.firstReaching(lowKW);
  const price = view.priceAt(at);
  const reachedKW = view.beforeKW(at);
  if (reachedKW >= lowKW) {
    if (reachedKW > highKW) return onLine(view, at, targetKW);
    // A line ends here, with just the target. If a jump follows nobody is to take it.
    const here: Crossing = { kind: "AT", pricePerKWh: price, side: "LOW" };
    if (at < view.last && view.afterKW(at) > reachedKW) return here;
    const level = at < view.last ? view.changeAfter(at) : undefined;
    const found = bandFrom(price, level ?? nextChange(sums, tick + 1), "LOW");
    if (found.kind === "BAND") return found;
    // The line goes on, so the tolerance that finds levels is not needed: the target itself can be met.
    if (reachedKW > targetKW + ROUNDING_KW) return onLine(view, at, targetKW);
    if (reachedKW > targetKW - ROUNDING_KW || lowKW === targetKW) return here;
    const exactly = crossingFrom(sums, targetKW, targetKW);
    return exactly.kind === "AT" ? exactly : here;
  }
  // Nothing jumps here; the sums were late by that little.
  if (at === 0 && ownCoarseKW + ownFineKW === 0) return { kind: "AT", pricePerKWh: price, side: "LOW" };
  if (view.afterKW(at) > highKW) return { kind: "JUMP", pricePerKWh: price };
  return bandFrom(price, view.changeAfter(at) ?? nextChange(sums, tick + 1), "HIGH");
}

/** On the line up to a place. Where a double can't tell the price from the line's begin, the jump there is behind it. */
function onLine(view: TickView, place: number, targetKW: number): Crossing {
  const pricePerKWh = view.priceOn(place, targetKW);
  return { kind: "AT", pricePerKWh, side: pricePerKWh === view.priceAt(place - 1) ? "HIGH" : "LOW" };
}

/** A band, or the one price that it has shrunk to. */
function bandFrom(from: number, to: number | undefined, side: "LOW" | "HIGH"): Crossing {
  return to !== undefined && to <= from ? { kind: "AT", pricePerKWh: from, side } : band(from, to);
}

function band(from: number | undefined, to: number | undefined): Crossing {
  return { kind: "BAND", ...(from !== undefined && { fromPerKWh: from }), ...(to !== undefined && { toPerKWh: to }) };
}

function priced(price: number | undefined): { pricePerKWh?: number } {
  return price === undefined ? {} : { pricePerKWh: price };
}

function firstChange(sums: PriceSums): number | undefined {
  return nextChange(sums, sums.firstBucket << BUCKET_BITS);
}

/** The first price, from the begin of a tick on, at which the sum changes. */
function nextChange(sums: PriceSums, fromTick: number): number | undefined {
  const walk = newWalk();
  const { buckets, firstBucket } = sums;
  let cell = Math.max((fromTick >> BUCKET_BITS) - firstBucket, 0);
  for (;;) {
    cell = cell < buckets.cells ? buckets.nextChange(cell, walk) : NO_CELL;
    if (cell === NO_CELL) return undefined;
    const bucket = firstBucket + cell;
    const zero = bucket << BUCKET_BITS;
    if (walk.runCoarseKW + walk.runFineKW !== 0) return tickStart(Math.max(fromTick, zero));
    const ticks = sums.ticksOf(bucket);
    for (let from = Math.max(fromTick - zero, 0); from < TICKS_PER_BUCKET; from++) {
      from = ticks.nextChange(from, walk);
      if (from === NO_CELL) break;
      const tick = zero + from;
      if (ticks.ownCoarseKW(from) + ticks.ownFineKW(from) !== 0) return tickStart(tick);
      const change = viewAlone(sums, tick, walk).changeAfter(0);
      if (change !== undefined) return change;
    }
    cell++;
  }
}

/** The last price at which the sum changes. */
function lastChange(sums: PriceSums): number | undefined {
  const walk = newWalk();
  const cell = sums.buckets.lastChange(walk);
  if (cell === NO_CELL) return undefined;
  const bucket = sums.firstBucket + cell;
  const zero = bucket << BUCKET_BITS;
  if (walk.runCoarseKW + walk.runFineKW !== 0) return tickStart(zero + TICKS_PER_BUCKET);
  const ticks = sums.ticksOf(bucket);
  const last = ticks.lastChange(walk);
  if (last === NO_CELL) return tickStart(zero);
  const tick = zero + last;
  if (!changes(0, 0, walk)) return tickStart(tick);
  return viewAlone(sums, tick, walk).lastChange();
}

/** A tick of a bucket that no line passes, for how the sum changes there and not for how much it is. */
function viewAlone(sums: PriceSums, tick: number, { runCoarseKW, runFineKW }: CellWalk): TickView {
  const seen = { tick, beforeKW: 0, afterKW: 0, endKW: runCoarseKW + runFineKW, runCoarseKW, runFineKW, evenKW: 0 };
  return new TickView(sums.columns, sums.slotsInside(tick), seen);
}
