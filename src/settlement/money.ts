import { decimalFromScaled } from "./decimal.ts";

/**
 * Money is counted in whole numbers, never in floating point. An amount before rounding is a number of 10^-9 currency
 * units ("nano"): one Wh at one millionth of a currency unit per kWh is exactly one. An amount that is paid is a number of
 * minor units of its currency.
 */
export const NANO_DIGITS = 9;

/** Prices are whole millionths of a currency unit per kWh. */
export const PRICE_DIGITS = 6;

/** What happens to exactly half a minor unit. Both treat an amount and its negative alike. */
export type Rounding = "HALF_EVEN" | "HALF_UP";

/** ISO 4217 currencies whose minor unit is not a hundredth. */
const MINOR_DIGITS: ReadonlyMap<string, number> = new Map([
  ...[
    "BIF",
    "CLP",
    "DJF",
    "GNF",
    "ISK",
    "JPY",
    "KMF",
    "KRW",
    "PYG",
    "RWF",
    "UGX",
    "UYI",
    "VND",
    "VUV",
    "XAF",
    "XOF",
  ].map((code) => [code, 0] as const),
  ["XPF", 0],
  ...["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"].map((code) => [code, 3] as const),
  ["CLF", 4],
  ["UYW", 4],
]);

/**
 * Decimal places of a currency's minor unit by ISO 4217: JPY 0, INR 2, KWD 3; 2 where the standard's list has nothing else.
 * @throws RangeError if it is not three capital letters
 */
export function minorDigits(currency: string): number {
  if (!/^[A-Z]{3}$/.test(currency)) throw new RangeError(`currency: "${currency}" is not an ISO 4217 code such as INR`);
  return MINOR_DIGITS.get(currency) ?? 2;
}

/**
 * Energy × price, exactly, in 10^-9 currency units.
 * @param energyWh whole Wh
 * @throws RangeError if it is not a whole number
 */
export function nanoAmount(energyWh: number, microPerKWh: bigint): bigint {
  if (!Number.isSafeInteger(energyWh)) throw new RangeError(`energy must be a whole number of Wh, got ${energyWh}`);
  return BigInt(energyWh) * microPerKWh;
}

/** Rounds an unrounded amount to minor units. Done once for each line of a settlement, never for each interval. */
export function minorFromNano(nano: bigint, currency: string, rounding: Rounding): bigint {
  return divideRounded(nano, 10n ** BigInt(NANO_DIGITS - minorDigits(currency)), rounding);
}

export function nanoFromMinor(minor: bigint, currency: string): bigint {
  return minor * 10n ** BigInt(NANO_DIGITS - minorDigits(currency));
}

/** `4125n` of INR is `"41.25"`. */
export function amountText(minor: bigint, currency: string): string {
  return decimalFromScaled(minor, minorDigits(currency));
}

/**
 * The nearest whole number to a quotient.
 * @param denominator > 0
 */
export function divideRounded(numerator: bigint, denominator: bigint, rounding: Rounding): bigint {
  const isNegative = numerator < 0n;
  const magnitude = isNegative ? -numerator : numerator;
  const floor = magnitude / denominator;
  const twiceRest = (magnitude - floor * denominator) * 2n;
  const isUp = twiceRest > denominator || (twiceRest === denominator && (rounding === "HALF_UP" || floor % 2n === 1n));
  const rounded = isUp ? floor + 1n : floor;
  return isNegative ? -rounded : rounded;
}
