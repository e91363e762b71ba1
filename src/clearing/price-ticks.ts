/*
 * The price axis, cut into ticks of a millionth and buckets of 4096 ticks. Ticks are only where sums are kept: a price
 * may be any finite double. What bends or jumps between two ticks is looked at curve by curve once the crossing is known
 * to lie there, so nothing is rounded to a tick.
 */

const TICKS_PER_UNIT = 1_000_000;

/** log2 of the ticks in a bucket. */
export const BUCKET_BITS = 12;
export const TICKS_PER_BUCKET = 1 << BUCKET_BITS;
/** Width of a tick and of a bucket, currency per kWh. */
export const TICK_PER_KWH = 1 / TICKS_PER_UNIT;
export const BUCKET_PER_KWH = TICKS_PER_BUCKET / TICKS_PER_UNIT;

/**
 * Prices beyond ±536.87 fall into the outermost ticks, which have no outer edge. They are cleared as exactly as all others,
 * but a book that holds many of them is slow.
 */
export const FIRST_TICK = -(2 ** 29);
export const LAST_TICK = 2 ** 29 - 1;
export const FIRST_BUCKET = FIRST_TICK >> BUCKET_BITS;
export const LAST_BUCKET = LAST_TICK >> BUCKET_BITS;

/** Price at which a tick begins. A decimal price of up to six places is exactly the begin of its tick. */
export function tickStart(tick: number): number {
  return tick / TICKS_PER_UNIT;
}

/** The tick that a price lies in: its begin is at or under the price. */
export function tickOf(pricePerKWh: number): number {
  let tick = Math.floor(pricePerKWh * TICKS_PER_UNIT);
  // The product is rounded; one step brings it right.
  if (tickStart(tick) > pricePerKWh) tick -= 1;
  else if (tickStart(tick + 1) <= pricePerKWh) tick += 1;
  return Math.min(Math.max(tick, FIRST_TICK), LAST_TICK);
}

/** Whether a price lies between the ends of its tick, and not at its begin; the lowest tick has no begin. */
export function isInsideTick(pricePerKWh: number, tick: number): boolean {
  return tick === FIRST_TICK || pricePerKWh !== tickStart(tick);
}
