import type { BidPoint } from "../../src/model/bid-curve.ts";
import { createRng } from "../world/rng.ts";

/** Half the width of the price band in which the grid goes from taking all to giving all. */
export const GRID_BAND_PER_KWH = 0.01;

const LOWEST_PER_KWH = 0.06;
const HIGHEST_PER_KWH = 0.19;
const JITTER_PER_KWH = 0.005;
/** Steps by the golden ratio never come near to where they were, whatever the seed. */
const GOLDEN_STEP = 0.618033988749895;

/**
 * The middle price of the outside grid at each market gate: the same for the same seed, between 0.06 and 0.19 per kWh,
 * and at least 0.03 away from the price of the gate before, so that devices have a reason to move.
 */
export function gridPrices(seed: number): (gate: number) => number {
  const start = createRng(seed).fork("grid-start").next();
  return (gate) => {
    const place = (start + gate * GOLDEN_STEP) % 1;
    const jitter = createRng(seed).fork(`grid-${gate}`).between(-JITTER_PER_KWH, JITTER_PER_KWH);
    const lowest = LOWEST_PER_KWH + JITTER_PER_KWH;
    const highest = HIGHEST_PER_KWH - JITTER_PER_KWH;
    return lowest + place * (highest - lowest) + jitter;
  };
}

/**
 * The grid as a supplier: at the lower end of the band it takes `capacityKW`, at the upper end it gives it.
 * kW, positive = into the site.
 */
export function gridCurve(middlePricePerKWh: number, capacityKW: number): BidPoint[] {
  return [
    { pricePerKWh: middlePricePerKWh - GRID_BAND_PER_KWH, powerKW: -capacityKW },
    { pricePerKWh: middlePricePerKWh + GRID_BAND_PER_KWH, powerKW: capacityKW },
  ];
}
