/** What a meter counted in one market interval, with the price that held in it. */
export interface EnergyInterval {
  /** Epoch ms, inclusive. */
  readonly startMs: number;
  /** Epoch ms, exclusive. */
  readonly endMs: number;
  /** Energy taken from the grid, whole Wh, ≥ 0. */
  readonly importWh: number;
  /** Energy fed into it, whole Wh, ≥ 0. */
  readonly exportWh: number;
  /** May be negative. */
  readonly pricePerKWh: number;
  /** ISO 4217. */
  readonly currency: string;
  readonly setpointId?: string;
}

/** Most intervals of one session; a month of 5-minute intervals is 8928. */
const MAX_INTERVALS = 10_000;

/**
 * Energy as OCPI counts it, Wh: positive into the car, negative when more came back than went in (CdrDimensionType,
 * ENERGY). The one place where interval energy gets OCPI's sign.
 */
export function ocpiEnergyWh(interval: Pick<EnergyInterval, "importWh" | "exportWh">): number {
  return interval.importWh - interval.exportWh;
}

/**
 * Checks that intervals can be charged for: in order, without overlap, in one currency, in whole Wh.
 * @returns the currency
 * @throws RangeError naming the interval and the fault
 */
export function checkIntervals(intervals: readonly EnergyInterval[]): string {
  const first = intervals[0];
  if (first === undefined) throw new RangeError("there is no interval to charge for");
  if (intervals.length > MAX_INTERVALS) throw new RangeError(`more than ${MAX_INTERVALS} intervals in one session`);
  for (const [index, interval] of intervals.entries()) {
    const fail = (fault: string) => new RangeError(`interval ${index}: ${fault}`);
    const { startMs, endMs, importWh, exportWh, pricePerKWh, currency } = interval;
    if (!(Number.isSafeInteger(startMs) && Number.isSafeInteger(endMs) && startMs < endMs)) {
      throw fail("startMs must come before endMs, both in whole ms");
    }
    const before = intervals[index - 1];
    if (before !== undefined && startMs < before.endMs) throw fail("begins before the one before it ends");
    for (const [name, wh] of Object.entries({ importWh, exportWh })) {
      if (!(Number.isSafeInteger(wh) && wh >= 0)) throw fail(`${name} must be whole Wh, 0 or more, and is ${wh}`);
    }
    if (!Number.isFinite(pricePerKWh)) throw fail(`pricePerKWh must be a number and is ${pricePerKWh}`);
    if (currency !== first.currency) throw fail(`is in ${currency}, the first one in ${first.currency}`);
  }
  return first.currency;
}
