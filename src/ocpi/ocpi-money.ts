import type { EnergyInterval } from "./energy-interval.ts";
import { ocpiEnergyWh } from "./energy-interval.ts";
import { divideRounded, numberFromScaled, OCPI_DECIMALS, type Rounding, scaledFromNumber } from "./ocpi-number.ts";
import type { OcpiPrice, TaxAmount } from "./ocpi-objects.ts";
import type { OcpiVersion } from "./ocpi-version.ts";

/** Decimals of an amount before it is rounded: Wh times a price with 4 decimals per kWh. */
export const AMOUNT_DECIMALS = 3 + OCPI_DECIMALS;

/**
 * What the prices contain, and what comes on top.
 * - `excluded`: taxes come on top; without a percentage they are not known, and only the net amount is told
 * - `included`: the price contains them
 * - `none`: no taxes apply
 */
export type TaxRule =
  | { readonly basis: "excluded"; readonly percent?: number; readonly name?: string }
  | { readonly basis: "included"; readonly percent: number; readonly name?: string }
  | { readonly basis: "none" };

/** How an amount is rounded, once, at the end. */
export interface AmountRule {
  readonly tax: TaxRule;
  readonly rounding: Rounding;
  /** Decimals of an amount in this currency, 0 to 4. */
  readonly decimals: number;
}

/** Decimals of a currency's amounts by ISO 4217: 2 for INR and EUR, 0 for JPY, 3 for KWD. @throws RangeError if it is no code */
export function decimalsOfCurrency(currency: string): number {
  const options = new Intl.NumberFormat("en", { style: "currency", currency }).resolvedOptions();
  return Math.min(options.maximumFractionDigits ?? 2, OCPI_DECIMALS);
}

/** Unrounded cost of an interval in 10^-7 of the currency, at a price in 10^-4 per kWh. */
export function intervalAmount(interval: EnergyInterval, scaledPrice: bigint): bigint {
  return BigInt(ocpiEnergyWh(interval)) * scaledPrice;
}

/**
 * An amount as a price object of either version. Net and gross are each rounded once from the unrounded amount; the tax
 * is their difference, so that the three always add up.
 * @param amount unrounded, in 10^-7 of the currency, with or without taxes as the rule says
 */
export function ocpiPrice(amount: bigint, rule: AmountRule, version: OcpiVersion): OcpiPrice {
  const { tax } = rule;
  const percent = tax.basis === "none" ? 0n : tax.percent === undefined ? undefined : scaledFromNumber(tax.percent, 4);
  const net = tax.basis === "included" && percent !== undefined ? { times: HUNDRED, by: HUNDRED + percent } : ONE;
  const gross = tax.basis === "excluded" && percent !== undefined ? { times: HUNDRED + percent, by: HUNDRED } : ONE;
  const scaledNet = roundTo(amount, net, rule);
  const scaledGross = roundTo(amount, gross, rule);
  if (version === "2.2.1") {
    const excl_vat = numberFromScaled(scaledNet, rule.decimals);
    return percent === undefined ? { excl_vat } : { excl_vat, incl_vat: numberFromScaled(scaledGross, rule.decimals) };
  }
  const taxes: TaxAmount[] = [];
  if (tax.basis !== "none" && tax.percent !== undefined) {
    taxes.push({
      name: tax.name ?? "VAT",
      percentage: tax.percent,
      amount: numberFromScaled(scaledGross - scaledNet, rule.decimals),
    });
  }
  return { before_taxes: numberFromScaled(scaledNet, rule.decimals), taxes };
}

/** 100 percent in the 10^-4 percent of the sums above. */
const HUNDRED = 1_000_000n;
const ONE = { times: 1n, by: 1n };

function roundTo(amount: bigint, ratio: { times: bigint; by: bigint }, rule: AmountRule): bigint {
  return divideRounded(amount * ratio.times, ratio.by * 10n ** BigInt(AMOUNT_DECIMALS - rule.decimals), rule.rounding);
}

/** The same amounts with the other sign, for a credit. */
export function negatedPrice(price: OcpiPrice): OcpiPrice {
  if ("excl_vat" in price) {
    return {
      excl_vat: negated(price.excl_vat),
      ...(price.incl_vat !== undefined && { incl_vat: negated(price.incl_vat) }),
    };
  }
  const taxes = price.taxes?.map((tax) => ({ ...tax, amount: negated(tax.amount) }));
  return { before_taxes: negated(price.before_taxes), ...(taxes !== undefined && { taxes }) };
}

function negated(value: number): number {
  return value === 0 ? 0 : -value;
}
