const DECIMAL = /^([+-]?)(\d{1,30})(?:\.(\d{1,30}))?(?:[eE]([+-]?\d{1,2}))?$/;

/**
 * A decimal text as a whole number of 10^-`scale`, exactly: `"0.0912"` at scale 6 is `91200n`. Floating point is never
 * touched, so 1.005 stays 1.005.
 * @param what named in the error, for example `energy.pricePerKWh`
 * @throws RangeError if it is not a decimal number, or has a digit that the scale can't hold
 */
export function scaledFromDecimal(text: string, scale: number, what: string): bigint {
  const { digits, places, isNegative } = decimalParts(text, what);
  const shift = scale - places;
  const divisor = 10n ** BigInt(Math.max(0, -shift));
  if (digits % divisor !== 0n) throw new RangeError(`${what}: ${text} has more than ${scale} decimal places`);
  const magnitude = shift >= 0 ? digits * 10n ** BigInt(shift) : digits / divisor;
  return isNegative ? -magnitude : magnitude;
}

/**
 * A number that was computed elsewhere (a clearing price) as a whole number of 10^-`scale`, the nearest one; a half goes
 * away from zero. It is read by its shortest text, so 0.1 is a tenth.
 * @throws RangeError if it is not finite
 */
export function scaledFromNumber(value: number, scale: number, what: string): bigint {
  const { digits, places, isNegative } = decimalParts(String(value), what);
  const shift = scale - places;
  const divisor = 10n ** BigInt(Math.max(0, -shift));
  const magnitude = shift >= 0 ? digits * 10n ** BigInt(shift) : (digits * 2n + divisor) / (divisor * 2n);
  return isNegative ? -magnitude : magnitude;
}

/** `-1205n` at scale 2 is `"-12.05"`; always with `scale` decimal places. */
export function decimalFromScaled(value: bigint, scale: number): string {
  const digits = (value < 0n ? -value : value).toString().padStart(scale + 1, "0");
  const whole = digits.slice(0, digits.length - scale);
  const sign = value < 0n ? "-" : "";
  return scale === 0 ? `${sign}${whole}` : `${sign}${whole}.${digits.slice(-scale)}`;
}

/** As `decimalFromScaled`, without the zeros at the end: `"0.09"`. */
export function shortDecimal(value: bigint, scale: number): string {
  const text = decimalFromScaled(value, scale);
  return text.includes(".") ? text.replace(/\.?0+$/, "") : text;
}

/** `digits` × 10^-`places`; a fractional part that is all zeros does not count as places. */
function decimalParts(text: string, what: string): { digits: bigint; places: number; isNegative: boolean } {
  const match = DECIMAL.exec(text);
  if (match === null) throw new RangeError(`${what}: "${text}" is not a decimal number, for example 0.12`);
  const [, sign, whole = "0", fraction = "", exponent = "0"] = match;
  return { digits: BigInt(whole + fraction), places: fraction.length - Number(exponent), isNegative: sign === "-" };
}
