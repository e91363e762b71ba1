/**
 * Between kW (export positive, as everywhere in the core) and SunSpec registers. SunSpec's power, in measurements and in
 * 704.WSet, is export positive too; only the storage rates of model 124 turn the sign, in `storageRates`.
 */

/** Keeps 50 % from becoming 49.99 % when a division leaves 4999.999999999. In steps of the register. */
const SLACK = 1e-6;

/** kW from watts as SunSpec measures them: both positive out of the device. */
export function kWFromSunSpecWatts(powerW: number): number {
  return powerW / 1000;
}

/**
 * A share of a rating as raw percent, rounded down: a limit may not be exceeded by rounding.
 *
 * @param powerKW zero or positive; more than the rating gives 100 %
 * @param scale power of ten of the percent register
 */
export function rawPercentFromKW(powerKW: number, ratingKW: number, scale: number): number {
  const percent = Math.min((100 * powerKW) / ratingKW, 100);
  return Math.floor(percent * 10 ** -scale + SLACK);
}

/** The least raw percentage, rounded up: less would be too little. */
export function leastRawPercent(percent: number, scale: number): number {
  return Math.ceil(percent * 10 ** -scale - SLACK);
}

/** A raw percentage for a person, without the noise of binary fractions. */
export function percentText(raw: number, scale: number): string {
  return (raw * 10 ** scale).toFixed(Math.max(0, -scale));
}

/** Power of a raw percentage of a rating, kW, same sign as the raw value. */
export function kWFromRawPercent(raw: number, ratingKW: number, scale: number): number {
  return (raw * 10 ** scale * ratingKW) / 100;
}

/** Raw watts for a signed setpoint (704.WSet, + injects), rounded towards zero. */
export function rawWattsFromKW(powerKW: number, scale: number): number {
  const steps = Math.abs(powerKW) * 1000 * 10 ** -scale;
  const raw = Math.floor(steps + SLACK);
  return powerKW < 0 && raw !== 0 ? -raw : raw;
}

/** Power of a raw signed setpoint in watts, kW. */
export function kWFromRawWatts(raw: number, scale: number): number {
  return (raw * 10 ** scale) / 1000;
}

/** Bits of 124.StorCtl_Mod: which of the two rates bind. */
export const CHARGE_RATE_BINDS = 1;
export const DISCHARGE_RATE_BINDS = 2;

/** What model 124 is told for one power. A rate that is absent is left as it is. */
export interface StorageRates {
  readonly mode: number;
  /** Raw 124.InWRte, percent of the greatest charging power. */
  readonly inRate?: number;
  /** Raw 124.OutWRte, percent of the greatest discharging power. */
  readonly outRate?: number;
  /** What the rounded rates stand for, kW, export positive. */
  readonly appliedKW: number;
}

/**
 * Model 124 has limits and no setpoint, so a power is forced with a limit beyond zero: a battery that may discharge at
 * most -40 % has to charge with 40 %, and the other way round. 0 stops both directions.
 *
 * @param powerKW export positive: positive discharges, negative charges
 * @param maxChargeKW magnitude that 100 % of InWRte means
 * @param maxDischargeKW magnitude that 100 % of OutWRte means
 * @param scale power of ten of both rates
 */
export function storageRates(
  powerKW: number,
  ratings: { maxChargeKW: number; maxDischargeKW: number },
  scale: number,
): StorageRates {
  const { maxChargeKW, maxDischargeKW } = ratings;
  if (powerKW < 0) {
    const raw = rawPercentFromKW(-powerKW, maxDischargeKW, scale);
    if (raw > 0) {
      const appliedKW = -kWFromRawPercent(raw, maxDischargeKW, scale);
      return { mode: DISCHARGE_RATE_BINDS, outRate: -raw, appliedKW };
    }
  }
  if (powerKW > 0) {
    const raw = rawPercentFromKW(powerKW, maxChargeKW, scale);
    if (raw > 0) return { mode: CHARGE_RATE_BINDS, inRate: -raw, appliedKW: kWFromRawPercent(raw, maxChargeKW, scale) };
  }
  return { mode: CHARGE_RATE_BINDS | DISCHARGE_RATE_BINDS, inRate: 0, outRate: 0, appliedKW: 0 };
}

/**
 * The power that rates of model 124 force, kW, export positive; absent where they only bound it.
 * @param rates as they stand in the registers
 */
export function powerOfRates(
  rates: { mode: number; inRate: number | undefined; outRate: number | undefined },
  ratings: { maxChargeKW: number; maxDischargeKW: number },
  scale: number,
): number | undefined {
  const inKW =
    rates.mode & CHARGE_RATE_BINDS && rates.inRate !== undefined
      ? kWFromRawPercent(rates.inRate, ratings.maxChargeKW, scale)
      : undefined;
  const outKW =
    rates.mode & DISCHARGE_RATE_BINDS && rates.outRate !== undefined
      ? kWFromRawPercent(rates.outRate, ratings.maxDischargeKW, scale)
      : undefined;
  if (outKW !== undefined && outKW < 0) return outKW;
  if (inKW !== undefined && inKW < 0) return 0 - inKW;
  return inKW === 0 && outKW === 0 ? 0 : undefined;
}

/**
 * Reversion time to arm, whole seconds: never longer than what is left of the target, and never 0, which would mean
 * "do not revert".
 */
export function reversionSeconds(leftMs: number, revertS: number): number {
  return Math.max(1, Math.min(revertS, Math.ceil(leftMs / 1000)));
}
