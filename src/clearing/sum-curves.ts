import { CELL_STRIDE, OWN, RUN } from "./cell-sums.ts";
import type { CurveColumns } from "./curve-columns.ts";
import type { DenseCells } from "./dense-cells.ts";
import { COARSE, type ExactSum, FINE, HALF_FINE } from "./exact-sum.ts";
import { type LinePiece, lineInBucket, lineParts, newPiece } from "./line-pieces.ts";
import { BUCKET_BITS, BUCKET_PER_KWH, tickStart } from "./price-ticks.ts";
import { FIRST, LAST, UNDER, WHOLE } from "./spread.ts";

// An imported constant is read anew at each use; one of this module is compiled in, and the loops here are worth it.
const TO_COARSE = COARSE;
const TO_FINE = FINE;
const LESS = HALF_FINE;
const BITS = BUCKET_BITS;
const STRIDE = CELL_STRIDE;
const AT_OWN = OWN;
const AT_RUN = RUN;
const BUCKET_WIDTH = BUCKET_PER_KWH;
const IN_FIRST = FIRST;
const IN_WHOLE = WHOLE;
const IN_LAST = LAST;
const JUST_UNDER = UNDER;

/*
 * All curves at once into fresh cells. A book does the same with one curve that comes or goes (`keep-curve.ts`); both deal a
 * line out by the same rule, so that their sums are the same to the last bit.
 */

const piece = newPiece();

/** Adds all curves to buckets, and their powers below every price to `base`. */
export function sumIntoBuckets(columns: CurveColumns, firstBucket: number, buckets: DenseCells, base: ExactSum): void {
  const { starts, lengths, prices, powers, ticks, ticksUpTo, slots } = columns;
  const { sums } = buckets;
  let baseCoarseKW = 0;
  let baseFineKW = 0;
  for (let slot = 0; slot < slots; slot++) {
    const start = starts[slot] as number;
    const end = start + (lengths[slot] as number);
    if (start === end) continue;
    let fromKW = powers[start] as number;
    let fromCoarseKW = fromKW + TO_COARSE - TO_COARSE;
    let fromFineKW = fromKW - fromCoarseKW + TO_FINE - TO_FINE;
    let from = 0;
    let to = prices[start] as number;
    baseCoarseKW += fromCoarseKW;
    baseFineKW += fromFineKW;
    for (let place = start + 1; place < end; place++) {
      from = to;
      to = prices[place] as number;
      const toKW = powers[place] as number;
      if (toKW === fromKW) continue;
      const coarseKW = toKW + TO_COARSE - TO_COARSE;
      const fineKW = toKW - coarseKW + TO_FINE - TO_FINE;
      const riseCoarseKW = coarseKW - fromCoarseKW;
      const riseFineKW = fineKW - fromFineKW;
      const bucket = (ticks[place - 1] as number) >> BITS;
      const upTo = (ticksUpTo[place] as number) >> BITS;
      const first = (bucket - firstBucket) * STRIDE;
      // A jump stays in its bucket too: as a line, it would end no later than it begins.
      if (upTo <= bucket) {
        sums[first + AT_OWN] = (sums[first + AT_OWN] as number) + riseCoarseKW;
        sums[first + AT_OWN + 1] = (sums[first + AT_OWN + 1] as number) + riseFineKW;
      } else {
        // As in `spreadRise`, written out here for lines with and without whole buckets: this is where the time goes.
        const slope = ((toKW - fromKW) / (to - from)) * JUST_UNDER;
        const riseKW = riseCoarseKW + riseFineKW;
        const last = (upTo - firstBucket) * STRIDE;
        const wholeBuckets = upTo - bucket - 1;
        let firstKW = slope * (tickStart((bucket + 1) << BITS) - from);
        if (!(firstKW <= riseKW)) firstKW = riseKW;
        let firstCoarseKW = firstKW + TO_COARSE - TO_COARSE;
        let firstFineKW = firstKW - firstCoarseKW - LESS + TO_FINE - TO_FINE;
        let lastCoarseKW = riseCoarseKW - firstCoarseKW;
        let lastFineKW = riseFineKW - firstFineKW;
        if (wholeBuckets > 0) {
          let wholeKW = slope * BUCKET_WIDTH;
          if (firstKW + wholeBuckets * wholeKW > riseKW) wholeKW = ((riseKW - firstKW) / wholeBuckets) * JUST_UNDER;
          let wholeCoarseKW = wholeKW + TO_COARSE - TO_COARSE;
          let wholeFineKW = wholeKW - wholeCoarseKW - LESS + TO_FINE - TO_FINE;
          lastFineKW -= wholeBuckets * wholeFineKW;
          const carryKW = lastFineKW + TO_COARSE - TO_COARSE;
          lastCoarseKW += carryKW - wholeBuckets * wholeCoarseKW;
          lastFineKW -= carryKW;
          if (lastCoarseKW + lastFineKW < 0) {
            firstCoarseKW = 0;
            firstFineKW = 0;
            wholeCoarseKW = 0;
            wholeFineKW = 0;
            lastCoarseKW = riseCoarseKW;
            lastFineKW = riseFineKW;
          }
          const runFrom = first + STRIDE + AT_RUN;
          const runTo = last + AT_RUN;
          sums[runFrom] = (sums[runFrom] as number) + wholeCoarseKW;
          sums[runFrom + 1] = (sums[runFrom + 1] as number) + wholeFineKW;
          sums[runTo] = (sums[runTo] as number) - wholeCoarseKW;
          sums[runTo + 1] = (sums[runTo + 1] as number) - wholeFineKW;
        } else {
          const carryKW = lastFineKW + TO_COARSE - TO_COARSE;
          lastCoarseKW += carryKW;
          lastFineKW -= carryKW;
          if (lastCoarseKW + lastFineKW < 0) {
            firstCoarseKW = 0;
            firstFineKW = 0;
            lastCoarseKW = riseCoarseKW;
            lastFineKW = riseFineKW;
          }
        }
        sums[first + AT_OWN] = (sums[first + AT_OWN] as number) + firstCoarseKW;
        sums[first + AT_OWN + 1] = (sums[first + AT_OWN + 1] as number) + firstFineKW;
        sums[last + AT_OWN] = (sums[last + AT_OWN] as number) + lastCoarseKW;
        sums[last + AT_OWN + 1] = (sums[last + AT_OWN + 1] as number) + lastFineKW;
      }
      fromKW = toKW;
      fromCoarseKW = coarseKW;
      fromFineKW = fineKW;
    }
  }
  base.coarseKW += baseCoarseKW;
  base.fineKW += baseFineKW;
}

/** Adds what all curves do within one bucket to its ticks. Lines that pass the whole bucket don't count here. */
export function sumIntoTicks(columns: CurveColumns, bucket: number, into: DenseCells): void {
  const { starts, lengths, powers, ticks, ticksUpTo, slots } = columns;
  const { sums } = into;
  const zero = bucket << BITS;
  for (let slot = 0; slot < slots; slot++) {
    const start = starts[slot] as number;
    const end = start + (lengths[slot] as number);
    for (let place = start + 1; place < end; place++) {
      // A jump at the begin of a bucket ends, as a line, in the bucket before.
      const begins = ((ticks[place - 1] as number) ^ zero) >>> BITS;
      const ends = ((ticksUpTo[place] as number) ^ zero) >>> BITS;
      if ((begins !== 0 && ends !== 0) || powers[place] === powers[place - 1]) continue;
      const parts = lineParts(columns, place);
      if (lineInBucket(columns, place, bucket, parts, piece)) addPiece(piece, sums);
    }
  }
}

/** Adds a piece to fresh ticks. */
function addPiece({ isOwn, firstCell, lastCell, parts }: LinePiece, sums: Float64Array): void {
  const first = firstCell * STRIDE;
  const firstCoarseKW = parts[IN_FIRST] as number;
  const firstFineKW = parts[IN_FIRST + 1] as number;
  if (isOwn) {
    sums[first + AT_OWN] = (sums[first + AT_OWN] as number) + firstCoarseKW;
    sums[first + AT_OWN + 1] = (sums[first + AT_OWN + 1] as number) + firstFineKW;
    return;
  }
  const second = first + STRIDE;
  sums[first + AT_RUN] = (sums[first + AT_RUN] as number) + firstCoarseKW;
  sums[first + AT_RUN + 1] = (sums[first + AT_RUN + 1] as number) + firstFineKW;
  sums[second + AT_RUN] = (sums[second + AT_RUN] as number) - firstCoarseKW;
  sums[second + AT_RUN + 1] = (sums[second + AT_RUN + 1] as number) - firstFineKW;
  if (lastCell === firstCell) return;
  const last = lastCell * STRIDE;
  const behind = last + STRIDE;
  const wholeCoarseKW = parts[IN_WHOLE] as number;
  const wholeFineKW = parts[IN_WHOLE + 1] as number;
  const lastCoarseKW = parts[IN_LAST] as number;
  const lastFineKW = parts[IN_LAST + 1] as number;
  sums[second + AT_RUN] = (sums[second + AT_RUN] as number) + wholeCoarseKW;
  sums[second + AT_RUN + 1] = (sums[second + AT_RUN + 1] as number) + wholeFineKW;
  sums[last + AT_RUN] = (sums[last + AT_RUN] as number) + (lastCoarseKW - wholeCoarseKW);
  sums[last + AT_RUN + 1] = (sums[last + AT_RUN + 1] as number) + (lastFineKW - wholeFineKW);
  sums[behind + AT_RUN] = (sums[behind + AT_RUN] as number) - lastCoarseKW;
  sums[behind + AT_RUN + 1] = (sums[behind + AT_RUN + 1] as number) - lastFineKW;
}
