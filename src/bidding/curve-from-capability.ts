import type { BidCurve, BidPoint } from "../model/bid-curve.ts";

/** What a device can do now, kW: `minPowerKW` ≤ 0 ≤ `maxPowerKW`. */
export interface PowerBand {
  readonly minPowerKW: number;
  readonly maxPowerKW: number;
}

/** Prices at which a device starts and ends to move, per kWh. `from` ≤ `to`; equal means a jump. */
export interface PriceBand {
  readonly from: number;
  readonly to: number;
}

/**
 * A load without a goal: full up to `from`, nothing above `to`, a line between. With `from` = `to` it switches at once.
 *
 * @param baseKW what it takes at any price, kW, magnitude ≥ 0
 */
export function loadCurve(band: PowerBand, prices: PriceBand, currency: string, baseKW = 0): BidCurve {
  return curve(currency, [
    { pricePerKWh: prices.from, powerKW: band.minPowerKW },
    { pricePerKWh: prices.to, powerKW: baseKW > 0 ? Math.max(band.minPowerKW, -baseKW) : 0 },
  ]);
}

/** A generator: nothing below `from`, all it can above `to`. Sun costs nothing, so `from` is usually 0. */
export function generatorCurve(band: PowerBand, prices: PriceBand, currency: string): BidCurve {
  return curve(currency, [
    { pricePerKWh: prices.from, powerKW: 0 },
    { pricePerKWh: prices.to, powerKW: band.maxPowerKW },
  ]);
}

/** What stored energy is worth to its owner, and what it costs to move it. */
export interface StorageValue {
  /** Worth of one kWh in the cells, per kWh. */
  readonly storedValuePerKWh: number;
  /** Wear of one kWh through the cells, per kWh, ≥ 0; half of it counts for charging and half for discharging. */
  readonly wearPerKWh: number;
  /** Share of the energy that comes out again, 0 < η ≤ 1. */
  readonly roundTripEfficiency: number;
  /** Price span over which the power goes from 0 to full, per kWh, ≥ 0; keeps like batteries from moving in step. */
  readonly spreadPerKWh: number;
}

/**
 * A battery of which only the power is known: it charges while a kWh bought now, less losses and wear, is worth less than what is stored, and discharges
 * while one sold pays more. Between the two prices it rests; the gap is what the losses cost.
 */
export function storageCurve(band: PowerBand, value: StorageValue, currency: string): BidCurve {
  const oneWay = Math.sqrt(value.roundTripEfficiency);
  const buyBelow = (value.storedValuePerKWh - value.wearPerKWh / 2) * oneWay;
  const sellAbove = (value.storedValuePerKWh + value.wearPerKWh / 2) / oneWay;
  return curve(currency, [
    { pricePerKWh: buyBelow - value.spreadPerKWh, powerKW: band.minPowerKW },
    { pricePerKWh: buyBelow, powerKW: 0 },
    { pricePerKWh: sellAbove, powerKW: 0 },
    { pricePerKWh: sellAbove + value.spreadPerKWh, powerKW: band.maxPowerKW },
  ]);
}

function curve(currency: string, points: readonly BidPoint[]): BidCurve {
  return { shape: "LINEAR", currency, points };
}
