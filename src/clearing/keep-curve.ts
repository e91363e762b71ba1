import { isBendInside } from "./bends.ts";
import type { CurveColumns } from "./curve-columns.ts";
import type { ExactSum } from "./exact-sum.ts";
import { lineInBucket, lineParts, newPiece } from "./line-pieces.ts";
import type { PagedCells } from "./paged-cells.ts";
import { BUCKET_BITS } from "./price-ticks.ts";
import { FIRST, LAST, WHOLE } from "./spread.ts";

// An imported constant is read anew at each use; one of this module is compiled in, and the loops here are worth it.
const BITS = BUCKET_BITS;
const IN_FIRST = FIRST;
const IN_WHOLE = WHOLE;
const IN_LAST = LAST;

const piece = newPiece();

/** The sums that a book keeps. */
export interface KeptSums {
  readonly base: ExactSum;
  readonly buckets: PagedCells;
  readonly firstBucket: number;
  /** The ticks of a bucket, made when they are first asked for. */
  keptTicksOf(bucket: number): PagedCells;
  /** A curve bends inside a tick, or (`sign` −1) does not do so any more. */
  bendsInside(tick: number, slot: number, sign: 1 | -1): void;
}

/** Adds one curve to kept sums, or (`sign` −1) takes it out without a trace. */
export function addToKept(columns: CurveColumns, slot: number, sign: 1 | -1, kept: KeptSums): void {
  const { prices, powers, ticks, ticksUpTo } = columns;
  const start = columns.starts[slot] as number;
  const end = start + (columns.lengths[slot] as number);
  kept.base.add(sign * columns.firstKW(slot));
  for (let place = start; place < end; place++) {
    if (isBendInside(columns, slot, place)) kept.bendsInside(ticks[place] as number, slot, sign);
    if (place === start || powers[place] === powers[place - 1]) continue;
    const bucket = (ticks[place - 1] as number) >> BITS;
    const upTo = (ticksUpTo[place] as number) >> BITS;
    const parts = lineParts(columns, place);
    const { buckets, firstBucket } = kept;
    if (upTo <= bucket || prices[place] === prices[place - 1]) {
      buckets.addOwn(bucket - firstBucket, sign * (parts[IN_FIRST] as number), sign * (parts[IN_FIRST + 1] as number));
      keepPiece(columns, place, bucket, sign, parts, kept);
      continue;
    }
    const wholeCoarseKW = sign * (parts[IN_WHOLE] as number);
    const wholeFineKW = sign * (parts[IN_WHOLE + 1] as number);
    buckets.addOwn(bucket - firstBucket, sign * (parts[IN_FIRST] as number), sign * (parts[IN_FIRST + 1] as number));
    buckets.addOwn(upTo - firstBucket, sign * (parts[IN_LAST] as number), sign * (parts[IN_LAST + 1] as number));
    if (upTo - bucket > 1) {
      buckets.addRun(bucket + 1 - firstBucket, wholeCoarseKW, wholeFineKW);
      buckets.addRun(upTo - firstBucket, -wholeCoarseKW, -wholeFineKW);
    }
    keepPiece(columns, place, bucket, sign, parts, kept);
    keepPiece(columns, place, upTo, sign, parts, kept);
  }
}

/** Adds a piece to kept ticks, or takes it out. */
function keepPiece(
  columns: CurveColumns,
  place: number,
  bucket: number,
  sign: 1 | -1,
  overBuckets: Float64Array,
  kept: KeptSums,
): void {
  if (!lineInBucket(columns, place, bucket, overBuckets, piece)) return;
  const { isOwn, firstCell, lastCell, parts } = piece;
  const ticks = kept.keptTicksOf(bucket);
  const firstCoarseKW = sign * (parts[IN_FIRST] as number);
  const firstFineKW = sign * (parts[IN_FIRST + 1] as number);
  if (isOwn) {
    ticks.addOwn(firstCell, firstCoarseKW, firstFineKW);
  } else if (lastCell === firstCell) {
    ticks.addRuns(firstCell, firstCoarseKW, firstFineKW, -firstCoarseKW, -firstFineKW);
  } else {
    const wholeCoarseKW = sign * (parts[IN_WHOLE] as number);
    const wholeFineKW = sign * (parts[IN_WHOLE + 1] as number);
    const lastCoarseKW = sign * (parts[IN_LAST] as number);
    const lastFineKW = sign * (parts[IN_LAST + 1] as number);
    ticks.addRuns(firstCell, firstCoarseKW, firstFineKW, wholeCoarseKW - firstCoarseKW, wholeFineKW - firstFineKW);
    ticks.addRuns(lastCell, lastCoarseKW - wholeCoarseKW, lastFineKW - wholeFineKW, -lastCoarseKW, -lastFineKW);
  }
}
