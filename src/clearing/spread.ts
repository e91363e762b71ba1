import { COARSE, FINE, HALF_FINE } from "./exact-sum.ts";

/** Where `spreadRise` leaves its parts: coarse and fine part of the first cell, of each whole cell, and of the last one. */
export const FIRST = 0;
export const WHOLE = 2;
export const LAST = 4;

// An imported constant is read anew at each use; one of this module is compiled in.
const TO_COARSE = COARSE;
const TO_FINE = FINE;
const LESS = HALF_FINE;
/** Keeps the parts of a line from adding up to more than the line. */
export const UNDER = 1 - 2 ** -50;

/**
 * Deals the rise of a straight line out to the cells that it passes: the first one from where the line begins, then whole
 * cells, then what is left to the last. The parts add up to the rise exactly, and none is negative, whatever was rounded.
 *
 * @param coarseKW,fineKW the rise, exact
 * @param slope kW per (currency per kWh)
 * @param firstWidth how far the line runs in its first cell, currency per kWh
 * @param cellWidth of a whole cell
 * @param wholeCells how many lie between the first and the last
 * @param parts six numbers, see above
 */
export function spreadRise(
  coarseKW: number,
  fineKW: number,
  slope: number,
  firstWidth: number,
  cellWidth: number,
  wholeCells: number,
  parts: Float64Array,
): void {
  const riseKW = coarseKW + fineKW;
  let firstKW = slope * firstWidth;
  // A line so steep that its slope is not a number any more is at its end at once. (Also false for NaN.)
  if (!(firstKW <= riseKW)) firstKW = riseKW;
  const firstCoarseKW = firstKW + TO_COARSE - TO_COARSE;
  const firstFineKW = firstKW - firstCoarseKW - LESS + TO_FINE - TO_FINE;
  let wholeCoarseKW = 0;
  let wholeFineKW = 0;
  if (wholeCells > 0) {
    let wholeKW = slope * cellWidth;
    // The widths are rounded; a little less than what is left keeps the last part from going under zero.
    if (firstKW + wholeCells * wholeKW > riseKW) wholeKW = ((riseKW - firstKW) / wholeCells) * UNDER;
    wholeCoarseKW = wholeKW + TO_COARSE - TO_COARSE;
    wholeFineKW = wholeKW - wholeCoarseKW - LESS + TO_FINE - TO_FINE;
  }
  const lastFineKW = fineKW - firstFineKW - wholeCells * wholeFineKW;
  const carryKW = lastFineKW + TO_COARSE - TO_COARSE;
  const lastCoarseKW = coarseKW - firstCoarseKW - wholeCells * wholeCoarseKW + carryKW;
  if (lastCoarseKW + (lastFineKW - carryKW) < 0) {
    parts.fill(0);
    parts[LAST] = coarseKW;
    parts[LAST + 1] = fineKW;
    return;
  }
  parts[FIRST] = firstCoarseKW;
  parts[FIRST + 1] = firstFineKW;
  parts[WHOLE] = wholeCoarseKW;
  parts[WHOLE + 1] = wholeFineKW;
  parts[LAST] = lastCoarseKW;
  parts[LAST + 1] = lastFineKW - carryKW;
}
