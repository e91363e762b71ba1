import { slotsInside } from "./bends.ts";
import type { CellSums } from "./cell-sums.ts";
import type { CurveColumns } from "./curve-columns.ts";
import { DenseCells } from "./dense-cells.ts";
import { ExactSum } from "./exact-sum.ts";
import type { PriceSums } from "./find-crossing.ts";
import { BUCKET_BITS, TICKS_PER_BUCKET } from "./price-ticks.ts";
import { sumIntoBuckets, sumIntoTicks } from "./sum-curves.ts";

/**
 * Sums of many curves at once: one pass over all of them into buckets of price, and a second one into the ticks of the
 * bucket that matters. No sorting, so the time grows with the curves and not faster.
 */
export class BatchSums implements PriceSums {
  readonly columns: CurveColumns;
  readonly base = new ExactSum();
  readonly buckets: DenseCells;
  readonly firstBucket: number;

  constructor(columns: CurveColumns) {
    this.columns = columns;
    const [first, last] = bucketRange(columns);
    this.firstBucket = first;
    this.buckets = new DenseCells(last - first + 1);
    sumIntoBuckets(columns, first, this.buckets, this.base);
  }

  ticksOf(bucket: number): CellSums {
    const ticks = new DenseCells(TICKS_PER_BUCKET);
    sumIntoTicks(this.columns, bucket, ticks);
    return ticks;
  }

  slotsInside(tick: number): readonly number[] {
    return slotsInside(this.columns, tick);
  }
}

/** The buckets in which anything may change. */
function bucketRange({ starts, lengths, ticks, slots }: CurveColumns): [first: number, last: number] {
  let lowest = Number.POSITIVE_INFINITY;
  let highest = Number.NEGATIVE_INFINITY;
  for (let slot = 0; slot < slots; slot++) {
    const length = lengths[slot] as number;
    if (length === 0) continue;
    const start = starts[slot] as number;
    const firstTick = ticks[start] as number;
    const lastTick = ticks[start + length - 1] as number;
    if (firstTick < lowest) lowest = firstTick;
    if (lastTick > highest) highest = lastTick;
  }
  return lowest > highest ? [0, 0] : [lowest >> BUCKET_BITS, highest >> BUCKET_BITS];
}
