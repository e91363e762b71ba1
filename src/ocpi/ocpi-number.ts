/**
 * Numbers without float arithmetic. OCPI numbers are JSON numbers with 4 decimals; here they are integers of a stated
 * power of ten, and become a JSON number only at the end.
 */

/** Decimals that an OCPI number has. */
export const OCPI_DECIMALS = 4;

/** `half-even`: a half goes to the even neighbour. `half-up`: a half goes away from zero. */
export type Rounding = "half-even" | "half-up";

const DECIMAL = /^(-?)(\d+)(?:\.(\d*))?(?:e([+-]?\d+))?$/i;

/**
 * A number as an integer of 10^-decimals, from its shortest decimal text and not from its binary value: 0.1 is one
 * tenth. Digits beyond are rounded.
 * @throws RangeError if it is not finite, or too large to be a price or an energy (10^15)
 */
export function scaledFromNumber(value: number, decimals: number, rounding: Rounding = "half-even"): bigint {
  const match = DECIMAL.exec(String(value));
  if (match === null || Math.abs(value) > 1e15)
    throw new RangeError(`${value} is not a number that can be reckoned with`);
  const [, sign, whole = "0", fraction = "", exponent = "0"] = match;
  const digits = BigInt(whole + fraction);
  const shift = decimals + Number(exponent) - fraction.length;
  if (shift < -400) return 0n;
  const magnitude = shift >= 0 ? digits * 10n ** BigInt(shift) : divideRounded(digits, 10n ** BigInt(-shift), rounding);
  return sign === "-" ? -magnitude : magnitude;
}

/** The JSON number of an integer of 10^-decimals. */
export function numberFromScaled(scaled: bigint, decimals: number): number {
  const digits = (scaled < 0n ? -scaled : scaled).toString().padStart(decimals + 1, "0");
  const cut = digits.length - decimals;
  const value = Number(`${digits.slice(0, cut)}.${digits.slice(cut)}`);
  return scaled < 0n ? -value : value;
}

/** Quotient as an integer, rounded. The divisor is positive. */
export function divideRounded(dividend: bigint, divisor: bigint, rounding: Rounding): bigint {
  const isNegative = dividend < 0n;
  const magnitude = isNegative ? -dividend : dividend;
  const whole = magnitude / divisor;
  const twice = (magnitude % divisor) * 2n;
  const isUp = twice > divisor || (twice === divisor && (rounding === "half-up" || whole % 2n === 1n));
  const rounded = isUp ? whole + 1n : whole;
  return isNegative ? -rounded : rounded;
}

/** Hours of a duration with the 4 decimals of OCPI, rounded half to even. */
export function ocpiHours(durationMs: number): number {
  return numberFromScaled(
    divideRounded(BigInt(Math.round(durationMs)) * 10n ** 4n, 3_600_000n, "half-even"),
    OCPI_DECIMALS,
  );
}

/** kWh of an energy in whole Wh. */
export function kWhFromWh(wh: number): number {
  return numberFromScaled(BigInt(wh), 3);
}
