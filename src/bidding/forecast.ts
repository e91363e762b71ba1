const MS_PER_HOUR = 3_600_000;

/** A price that is expected for a time ahead. */
export interface ForecastSlot {
  readonly startMs: number;
  readonly endMs: number;
  readonly pricePerKWh: number;
}

/** A stretch of time with one expected price. */
export interface PricedTime {
  readonly pricePerKWh: number;
  readonly hours: number;
}

/** No more slots than this are looked at, the soonest: two and a half days of quarter hours. */
export const MAX_FORECAST_SLOTS = 240;

/**
 * The part of a forecast that lies between two times, in order of time. Where slots overlap the one that starts first
 * counts, so that no hour is counted twice; time without a slot has no price and is left out.
 */
export function pricedTimes(forecast: readonly ForecastSlot[], fromMs: number, untilMs: number): PricedTime[] {
  const times: PricedTime[] = [];
  let reachedMs = fromMs;
  for (const slot of [...forecast].sort((a, b) => a.startMs - b.startMs)) {
    const startMs = Math.max(slot.startMs, reachedMs);
    const endMs = Math.min(slot.endMs, untilMs);
    if (endMs <= startMs || !Number.isFinite(slot.pricePerKWh)) continue;
    times.push({ pricePerKWh: slot.pricePerKWh, hours: (endMs - startMs) / MS_PER_HOUR });
    reachedMs = endMs;
    if (times.length === MAX_FORECAST_SLOTS) break;
  }
  return times;
}
