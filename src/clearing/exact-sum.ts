/*
 * Sums that don't depend on the order of their terms. A term is cut into a coarse part, a multiple of 2⁻²² kW, and a fine
 * part, a multiple of 2⁻⁴⁷ kW. Multiples of one number add up without rounding as long as a double can count them, so the
 * order can't matter, and taking a term away leaves no trace of it.
 *
 * The bounds: a term is at most MAX_POWER_KW, all terms together MAX_TOTAL_KW, and there are at most 2²³ of them.
 */

/** Adding this to a double and taking it away again rounds it to a multiple of 2⁻²², as doubles near it are that far apart. */
export const COARSE = 1.5 * 2 ** 30;
/** The same for 2⁻⁴⁷. */
export const FINE = 1.5 * 2 ** 5;
/** Half a fine unit, taken off before rounding where a part may never be more than the whole. */
export const HALF_FINE = 2 ** -48;

/** Most power of one bid, either way, kW. */
export const MAX_POWER_KW = 2 ** 24;
/** Most power of all bids of one clearing together, kW. */
export const MAX_TOTAL_KW = 2 ** 25;

/** A sum of kW, exact to 2⁻⁴⁷ kW a term. */
export class ExactSum {
  coarseKW = 0;
  fineKW = 0;

  add(termKW: number): void {
    const coarseKW = termKW + COARSE - COARSE;
    this.coarseKW += coarseKW;
    this.fineKW += termKW - coarseKW + FINE - FINE;
  }

  subtract(termKW: number): void {
    this.add(-termKW);
  }

  /** kW, rounded once. */
  get valueKW(): number {
    return this.coarseKW + this.fineKW;
  }
}
