import type { BidCurve } from "../model/bid-curve.ts";
import { withoutRepeats } from "./curve-of-ramps.ts";

/** What the sun is expected to give, kW, as the values that it stays under in one of ten, five of ten, nine of ten cases. */
export interface OutputForecast {
  readonly lowKW: number;
  readonly middleKW: number;
  readonly highKW: number;
}

/**
 * A generator whose output is a forecast: the sure part is offered from `fromPricePerKWh` on, the less sure the dearer.
 * If each kWh that is sold and not there costs `shortfallPerKWh` on top, it pays to sell up to the quantile `q` of the
 * forecast where price above cost and penalty stand as q : 1 − q; so the one-in-ten value is offered at a ninth of the
 * penalty above cost, the middle at the penalty, the nine-in-ten value at nine times it.
 *
 * @param shortfallPerKWh what a missing kWh costs, ≥ 0; at 0 there is no risk in offering all
 * @param mostKW what the inverter can give at all, kW
 */
export function solarCurve(
  forecast: OutputForecast,
  mostKW: number,
  fromPricePerKWh: number,
  shortfallPerKWh: number,
  currency: string,
): BidCurve {
  const lowKW = Math.min(Math.max(forecast.lowKW, 0), mostKW);
  const middleKW = Math.min(Math.max(forecast.middleKW, lowKW), mostKW);
  const highKW = Math.min(Math.max(forecast.highKW, middleKW), mostKW);
  const at = (quantile: number) => fromPricePerKWh + (shortfallPerKWh * quantile) / (1 - quantile);
  return {
    shape: "LINEAR",
    currency,
    points: withoutRepeats([
      { pricePerKWh: fromPricePerKWh, powerKW: 0 },
      { pricePerKWh: at(0.1), powerKW: lowKW },
      { pricePerKWh: at(0.5), powerKW: middleKW },
      { pricePerKWh: at(0.9), powerKW: highKW },
    ]),
  };
}
