import { checkIntervals, type EnergyInterval, ocpiEnergyWh } from "./energy-interval.ts";
import { type AmountRule, intervalAmount } from "./ocpi-money.ts";
import { kWhFromWh, numberFromScaled, OCPI_DECIMALS, ocpiHours, scaledFromNumber } from "./ocpi-number.ts";
import type { CdrDimension, ChargingPeriod, OcpiTariff } from "./ocpi-objects.ts";
import { ocpiTimeFromMs } from "./ocpi-time.ts";
import type { OcpiVersion } from "./ocpi-version.ts";

/** Market intervals as OCPI has them: a charging period each, and the tariffs that the periods name. */
export interface MarketPeriods {
  readonly currency: string;
  readonly startMs: number;
  readonly endMs: number;
  readonly periods: readonly ChargingPeriod[];
  readonly tariffs: readonly OcpiTariff[];
  /** Net energy, whole Wh, positive into the car. */
  readonly energyWh: number;
  /** Time in which no energy flowed, as measured, ms. */
  readonly idleMs: number;
  /** Unrounded cost in 10^-7 of the currency, from the prices as they stand in `tariffs`. */
  readonly amount: bigint;
  /** Prices that had to be rounded to the 4 decimals of OCPI, half to even. */
  readonly roundedPrices: number;
}

export interface PeriodOptions {
  readonly version: OcpiVersion;
  readonly countryCode: string;
  readonly partyId: string;
  readonly rule: AmountRule;
  readonly lastUpdatedMs: number;
  /**
   * Time between two intervals that nobody measured. A period ends where the next begins, so leaving it out would give
   * it to the period before. `refuse` is an error; `zero` makes it a period of its own with no energy and no tariff.
   */
  readonly gaps: "refuse" | "zero";
  /** Import and export by themselves, which a CDR may not have (CdrDimensionType, session only). */
  readonly withDirections: boolean;
}

/**
 * One charging period for each interval, whether or not the price changed: a new one is mandatory where it does (CDRs
 * module, CDR object), and each interval can then be checked by itself.
 *
 * A price is rounded to 4 decimals before anything is reckoned with it, so that the receiver finds the same cost.
 * @throws RangeError naming the interval and the fault
 */
export function marketPeriods(intervals: readonly EnergyInterval[], options: PeriodOptions): MarketPeriods {
  const currency = checkIntervals(intervals);
  const periods: ChargingPeriod[] = [];
  const prices = new Set<bigint>();
  let energyWh = 0;
  let idleMs = 0;
  let amount = 0n;
  let roundedPrices = 0;
  let endMs = intervals[0]?.startMs ?? 0;
  for (const [index, interval] of intervals.entries()) {
    if (interval.startMs > endMs) {
      if (options.gaps === "refuse") throw new RangeError(`interval ${index}: begins after a gap`);
      periods.push({ start_date_time: ocpiTimeFromMs(endMs), dimensions: [{ type: "ENERGY", volume: 0 }] });
    }
    const price = scaledFromNumber(interval.pricePerKWh, OCPI_DECIMALS);
    if (numberFromScaled(price, OCPI_DECIMALS) !== interval.pricePerKWh) roundedPrices += 1;
    prices.add(price);
    periods.push({
      start_date_time: ocpiTimeFromMs(interval.startMs),
      dimensions: dimensionsOf(interval, options.withDirections),
      tariff_id: tariffIdOf(currency, price),
    });
    if (interval.importWh === 0 && interval.exportWh === 0) idleMs += interval.endMs - interval.startMs;
    energyWh += ocpiEnergyWh(interval);
    amount += intervalAmount(interval, price);
    endMs = interval.endMs;
  }
  return {
    currency,
    startMs: intervals[0]?.startMs ?? endMs,
    endMs,
    periods,
    tariffs: [...prices].map((price) => marketTariff(currency, price, options)),
    energyWh,
    idleMs,
    amount,
    roundedPrices,
  };
}

function dimensionsOf(interval: EnergyInterval, withDirections: boolean): CdrDimension[] {
  const dimensions = [{ type: "ENERGY", volume: kWhFromWh(ocpiEnergyWh(interval)) }];
  if (withDirections) {
    dimensions.push({ type: "ENERGY_IMPORT", volume: kWhFromWh(interval.importWh) });
    dimensions.push({ type: "ENERGY_EXPORT", volume: kWhFromWh(interval.exportWh) });
  }
  return dimensions;
}

/** The same price has the same id everywhere, at most 36 letters. */
function tariffIdOf(currency: string, scaledPrice: bigint): string {
  return `market-${currency}-${numberFromScaled(scaledPrice, OCPI_DECIMALS)}`;
}

function marketTariff(currency: string, scaledPrice: bigint, options: PeriodOptions): OcpiTariff {
  const { tax } = options.rule;
  const vat = tax.basis === "none" ? undefined : tax.percent;
  const price = numberFromScaled(scaledPrice, OCPI_DECIMALS);
  return {
    country_code: options.countryCode,
    party_id: options.partyId,
    id: tariffIdOf(currency, scaledPrice),
    currency,
    elements: [{ price_components: [{ type: "ENERGY", price, ...(vat !== undefined && { vat }), step_size: 1 }] }],
    ...(options.version === "2.3.0" && { tax_included: TAX_INCLUDED[tax.basis] }),
    last_updated: ocpiTimeFromMs(options.lastUpdatedMs),
  };
}

const TAX_INCLUDED = { included: "YES", excluded: "NO", none: "N/A" } as const;

/** Hours of the session and of the idle time in it. */
export function hoursOf(periods: MarketPeriods): { readonly totalHours: number; readonly idleHours: number } {
  return { totalHours: ocpiHours(periods.endMs - periods.startMs), idleHours: ocpiHours(periods.idleMs) };
}
