import type { BidCurve } from "../model/bid-curve.ts";
import type { TaxBasis } from "./tariff-price.ts";
import type { PriceSlot } from "./tariff-slots.ts";

/**
 * Whose curve it is. A tariff alone doesn't tell: the same 18.0 per kWh is what an operator asks and what a driver
 * gives.
 * - `supply`: the operator offers the power of its chargers to the market, so the power is positive
 * - `demand`: the driver takes power while the market is no dearer than the tariff, so it is negative
 */
export type CurveSide = "supply" | "demand";

export interface TariffCurveOptions {
  readonly side: CurveSide;
  /** Magnitude, kW, > 0. */
  readonly maxPowerKW: number;
  /** ISO 4217 of the market. The tariff must be in it; nothing is converted. */
  readonly currency: string;
  /**
   * The other end of a slope, per kWh, for a curve that does not jump at the tariff: below the tariff price for supply
   * (nothing is offered there) and for demand (all is taken there). Absent: all or nothing at the tariff price.
   */
  readonly slopeFromPricePerKWh?: number;
}

/** A curve with the tax basis of its prices. Curves with different ones must not be cleared together. */
export interface TariffCurve {
  readonly curve: BidCurve;
  readonly tax: TaxBasis;
  readonly vatPercent?: number;
}

/**
 * The bid curve that a tariff's price means during one slot. The sign follows from the side and from nothing else.
 *
 * `supply` at 0.18 with a slope from 0.15: 0 kW up to 0.15, all from 0.18. `demand` at 0.18: all up to 0.18, nothing
 * above.
 * @throws RangeError when currencies differ, the power is not above 0, or the slope does not start below the price
 */
export function bidCurveFromTariff(slot: PriceSlot, options: TariffCurveOptions): TariffCurve {
  const { side, maxPowerKW, currency, slopeFromPricePerKWh: from } = options;
  if (slot.currency !== currency) {
    throw new RangeError(`the tariff is in ${slot.currency} and the market in ${currency}; prices are not converted`);
  }
  if (!(maxPowerKW > 0 && Number.isFinite(maxPowerKW))) throw new RangeError("maxPowerKW must be a number above 0");
  if (from !== undefined && !(from < slot.pricePerKWh)) {
    throw new RangeError(`the slope must start below the tariff's price of ${slot.pricePerKWh}, not at ${from}`);
  }
  const [lowKW, highKW] = powersOf(side, maxPowerKW);
  return {
    curve: {
      shape: from === undefined ? "STEP" : "LINEAR",
      currency,
      points: [
        { pricePerKWh: from ?? slot.pricePerKWh, powerKW: lowKW },
        { pricePerKWh: slot.pricePerKWh, powerKW: highKW },
      ],
    },
    tax: slot.tax,
    ...(slot.vatPercent !== undefined && { vatPercent: slot.vatPercent }),
  };
}

/** Power at the cheap end and at the dear end, kW, export positive. The one place where a tariff gets its sign. */
export function powersOf(side: CurveSide, maxPowerKW: number): readonly [lowKW: number, highKW: number] {
  return side === "supply" ? [0, maxPowerKW] : [-maxPowerKW, 0];
}
