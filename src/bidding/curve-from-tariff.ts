import type { BidCurve } from "../model/bid-curve.ts";
import type { PowerBand } from "./curve-from-capability.ts";
import { curveOfRamps } from "./curve-of-ramps.ts";
import { type ForecastSlot, MAX_FORECAST_SLOTS } from "./forecast.ts";

/** A price of energy that holds for a time. */
export interface TariffElement {
  readonly pricePerKWh: number;
  /** Wall time, epoch ms; `endMs` exclusive. */
  readonly startMs: number;
  readonly endMs: number;
}

/** What energy costs without a market: prices by time, one price for all other times, or both. */
export interface Tariff {
  /** ISO 4217. */
  readonly currency: string;
  /** Where two overlap the one that comes first in the list counts. */
  readonly elements: readonly TariffElement[];
  /** Price where no element holds; absent: no price is known there. */
  readonly flatPricePerKWh?: number;
}

/** The price at a time, or nothing if the tariff knows none. */
export function tariffPriceAt(tariff: Tariff, atMs: number): number | undefined {
  const element = tariff.elements.find(({ startMs, endMs }) => startMs <= atMs && atMs < endMs);
  return element?.pricePerKWh ?? tariff.flatPricePerKWh;
}

/**
 * A tariff as the prices ahead, in order and without overlap; times without a price are left out. At most
 * `MAX_FORECAST_SLOTS`, the soonest.
 */
export function forecastFromTariff(tariff: Tariff, fromMs: number, untilMs: number): ForecastSlot[] {
  const edges = tariff.elements.flatMap(({ startMs, endMs }) => [startMs, endMs]);
  const times = [...new Set([fromMs, untilMs, ...edges])].filter((ms) => fromMs <= ms && ms <= untilMs);
  times.sort((a, b) => a - b);
  const slots: ForecastSlot[] = [];
  for (const [index, startMs] of times.entries()) {
    const endMs = times[index + 1];
    const pricePerKWh = tariffPriceAt(tariff, startMs);
    if (endMs === undefined || pricePerKWh === undefined) continue;
    const last = slots.at(-1);
    if (last !== undefined && last.endMs === startMs && last.pricePerKWh === pricePerKWh) {
      slots[slots.length - 1] = { ...last, endMs };
    } else if (slots.length < MAX_FORECAST_SLOTS) {
      slots.push({ startMs, endMs, pricePerKWh });
    } else break;
  }
  return slots;
}

/**
 * The curve of a device that has nothing to go by but its tariff: what it takes it could have at the tariff's price anyway,
 * so it takes all up to that price in the market and nothing above; what it gives it gives from that price on.
 * Nothing if the tariff knows no price at the time.
 */
export function curveFromTariff(tariff: Tariff, atMs: number, band: PowerBand): BidCurve | undefined {
  const price = tariffPriceAt(tariff, atMs);
  return price === undefined ? undefined : jumpThroughZero(price, price, band, tariff.currency);
}

function jumpThroughZero(takesUpTo: number, givesFrom: number, band: PowerBand, currency: string): BidCurve {
  const ramps = [
    { fromPricePerKWh: takesUpTo, toPricePerKWh: takesUpTo, riseKW: -band.minPowerKW },
    { fromPricePerKWh: givesFrom, toPricePerKWh: givesFrom, riseKW: band.maxPowerKW },
  ];
  return curveOfRamps(band.minPowerKW, ramps, currency, givesFrom);
}
