import { powerRangeAt } from "../model/bid-curve.ts";
import type { MarketOffer } from "./dialects/order-codec.ts";
import type { Bid } from "./dialects/seed-messages.ts";

/** Markets round the power they clear; less than this is no deviation from the curve. */
const ROUNDING_KW = 0.01;

/**
 * Why an offer is not what we bid, or nothing if it may be confirmed.
 *
 * Our curve says what power we take at a price. A market that rations gives less of it, so anything between nothing and
 * the curve is fair; more, or the other direction, is not. The objective's highest price is for energy that can wait:
 * above it only what our own curve still asks for (the must-run part) is confirmed.
 */
export function offerFault(offer: MarketOffer, bid: Bid): string | undefined {
  const { clearingPrice, powerKW } = offer;
  const { pricePerKWh, currency } = clearingPrice;
  if (offer.era !== undefined && offer.era !== bid.era) return `it is for ${offer.era}, not for ${bid.era}`;
  if (currency !== bid.curve.currency) return `its price is in ${currency}, our curve is in ${bid.curve.currency}`;
  // Without a power the market applies our curve itself.
  if (powerKW === undefined) return undefined;
  const { lowKW, highKW } = powerRangeAt(bid.curve, pricePerKWh);
  const leastKW = Math.min(0, lowKW) - ROUNDING_KW;
  const mostKW = Math.max(0, highKW) + ROUNDING_KW;
  if (powerKW >= leastKW && powerKW <= mostKW) return undefined;
  const maxPrice = bid.objective?.maxPricePerKWh;
  if (powerKW < 0 && maxPrice !== undefined && pricePerKWh > maxPrice) {
    return `${pricePerKWh} ${currency}/kWh is above the objective's maximum of ${maxPrice}`;
  }
  const ours = lowKW === highKW ? `${lowKW}` : `${lowKW} to ${highKW}`;
  return `${powerKW} kW is not on our curve, which says ${ours} kW at ${pricePerKWh} ${currency}/kWh`;
}
