import type { CurveColumns } from "./curve-columns.ts";
import { COARSE, FINE } from "./exact-sum.ts";
import { BUCKET_BITS, BUCKET_PER_KWH, isInsideTick, TICK_PER_KWH, TICKS_PER_BUCKET, tickStart } from "./price-ticks.ts";
import { FIRST, LAST, spreadRise, UNDER } from "./spread.ts";

// An imported constant is read anew at each use; one of this module is compiled in, and the loops here are worth it.
const TO_COARSE = COARSE;
const TO_FINE = FINE;
const BITS = BUCKET_BITS;
const BUCKET_WIDTH = BUCKET_PER_KWH;
const TICK_WIDTH = TICK_PER_KWH;
const TICKS = TICKS_PER_BUCKET;
const IN_FIRST = FIRST;
const IN_LAST = LAST;
const JUST_UNDER = UNDER;

const bucketParts = new Float64Array(6);

/**
 * How the line that ends at a point spreads over buckets; all of it in FIRST if it stays within one. What is given
 * back holds until the next call.
 */
export function lineParts(columns: CurveColumns, place: number): Float64Array {
  const { prices, powers, ticks, ticksUpTo } = columns;
  const bucket = (ticks[place - 1] as number) >> BITS;
  const upTo = (ticksUpTo[place] as number) >> BITS;
  const fromKW = powers[place - 1] as number;
  const toKW = powers[place] as number;
  const from = prices[place - 1] as number;
  const to = prices[place] as number;
  const fromCoarseKW = fromKW + TO_COARSE - TO_COARSE;
  const toCoarseKW = toKW + TO_COARSE - TO_COARSE;
  const riseCoarseKW = toCoarseKW - fromCoarseKW;
  const riseFineKW = toKW - toCoarseKW + TO_FINE - TO_FINE - (fromKW - fromCoarseKW + TO_FINE - TO_FINE);
  if (upTo <= bucket || from === to) {
    bucketParts[IN_FIRST] = riseCoarseKW;
    bucketParts[IN_FIRST + 1] = riseFineKW;
    return bucketParts;
  }
  const slope = ((toKW - fromKW) / (to - from)) * JUST_UNDER;
  const firstWidth = tickStart((bucket + 1) << BITS) - from;
  spreadRise(riseCoarseKW, riseFineKW, slope, firstWidth, BUCKET_WIDTH, upTo - bucket - 1, bucketParts);
  return bucketParts;
}

/** That part of a line which lies in one bucket, as its ticks see it. */
export interface LinePiece {
  /** A jump at the begin of `firstCell`: all of it stands in IN_FIRST. */
  isOwn: boolean;
  firstCell: number;
  /** The same as `firstCell` where the piece stays within one tick; all of it then stands in IN_FIRST. */
  lastCell: number;
  readonly parts: Float64Array;
}

export function newPiece(): LinePiece {
  return { isOwn: false, firstCell: 0, lastCell: 0, parts: new Float64Array(6) };
}

/**
 * Finds the piece of the line up to a point that lies in a bucket in which it begins or ends; false if there is none.
 * @param overBuckets what `lineParts` says of the line
 */
export function lineInBucket(
  columns: CurveColumns,
  place: number,
  bucket: number,
  overBuckets: Float64Array,
  found: LinePiece,
): boolean {
  const { prices, powers, ticks, ticksUpTo } = columns;
  const from = prices[place - 1] as number;
  const to = prices[place] as number;
  const tick = ticks[place - 1] as number;
  const upTo = ticksUpTo[place] as number;
  const beginsIn = tick >> BITS;
  const endsIn = upTo >> BITS;
  const zero = bucket << BITS;
  const isJump = from === to;
  // A jump belongs to the bucket of its tick, and only there.
  if (isJump && beginsIn !== bucket) return false;
  const isTail = bucket !== beginsIn;
  const coarseKW = overBuckets[isTail ? IN_LAST : IN_FIRST] as number;
  const fineKW = overBuckets[isTail ? IN_LAST + 1 : IN_FIRST + 1] as number;
  const firstTick = isTail ? zero : tick;
  const lastTick = endsIn > bucket ? zero + TICKS - 1 : upTo;
  found.isOwn = isJump && !isInsideTick(to, tick);
  found.firstCell = firstTick - zero;
  found.lastCell = Math.max(firstTick, isJump ? firstTick : lastTick) - zero;
  if (found.lastCell === found.firstCell) {
    found.parts[IN_FIRST] = coarseKW;
    found.parts[IN_FIRST + 1] = fineKW;
    return true;
  }
  const begin = isTail ? tickStart(zero) : from;
  const slope = (((powers[place] as number) - (powers[place - 1] as number)) / (to - from)) * JUST_UNDER;
  const firstWidth = tickStart(firstTick + 1) - begin;
  spreadRise(coarseKW, fineKW, slope, firstWidth, TICK_WIDTH, lastTick - firstTick - 1, found.parts);
  return true;
}
