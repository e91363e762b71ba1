import type { CurveColumns } from "./curve-columns.ts";
import { ExactSum } from "./exact-sum.ts";
import { lineInBucket, lineParts, newPiece } from "./line-pieces.ts";
import { BUCKET_BITS } from "./price-ticks.ts";
import { FIRST, LAST, WHOLE } from "./spread.ts";

const piece = newPiece();

/** The curves that bend or jump strictly between the ends of a tick. */
export function slotsInside(columns: CurveColumns, tick: number): number[] {
  const found: number[] = [];
  if (!columns.hasPointsInside) return found;
  for (let slot = 0; slot < columns.slots; slot++) {
    const start = columns.starts[slot] as number;
    const end = start + (columns.lengths[slot] as number);
    for (let place = start; place < end; place++) {
      if (columns.ticks[place] === tick && isBendInside(columns, slot, place)) {
        found.push(slot);
        break;
      }
    }
  }
  return found;
}

/** Whether a curve changes at one of its points, and that lies between the ends of its tick. */
export function isBendInside(columns: CurveColumns, slot: number, place: number): boolean {
  const { starts, lengths, powers, ticks, ticksUpTo } = columns;
  if (ticks[place] !== ticksUpTo[place]) return false;
  const start = starts[slot] as number;
  const end = start + (lengths[slot] as number);
  const risesBefore = place > start && powers[place] !== powers[place - 1];
  const risesAfter = place + 1 < end && powers[place + 1] !== powers[place];
  return risesBefore || risesAfter;
}

/** By how much given curves rise within a tick in the sums; a jump at its begin does not count. */
export function riseWithin(columns: CurveColumns, slots: readonly number[], tick: number): ExactSum {
  const { starts, lengths, powers } = columns;
  const bucket = tick >> BUCKET_BITS;
  const cell = tick - (bucket << BUCKET_BITS);
  const rise = new ExactSum();
  for (const slot of slots) {
    const start = starts[slot] as number;
    const end = start + (lengths[slot] as number);
    for (let place = start + 1; place < end; place++) {
      const begins = (columns.ticks[place - 1] as number) >> BUCKET_BITS;
      const ends = (columns.ticksUpTo[place] as number) >> BUCKET_BITS;
      const touches = begins === bucket || ends === bucket;
      if (!touches || powers[place] === powers[place - 1]) continue;
      if (!lineInBucket(columns, place, bucket, lineParts(columns, place), piece) || piece.isOwn) continue;
      const part = cell === piece.firstCell ? FIRST : cell === piece.lastCell ? LAST : WHOLE;
      if (cell < piece.firstCell || cell > piece.lastCell) continue;
      rise.coarseKW += piece.parts[part] as number;
      rise.fineKW += piece.parts[part + 1] as number;
    }
  }
  return rise;
}
