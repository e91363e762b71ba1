import { type Lfdi, stableMRID } from "../ieee2030-5/identity.ts";

/** Digits at the end of an mRID that hold the enterprise number of its maker. */
const PEN_DIGITS = 8;

/**
 * An mRID that is the same after a restart. CSIP-AUS servers read the enterprise number at its end as decimal digits.
 * @param pen enterprise number, 0 for none
 */
export function ownMRID(lfdi: Lfdi, what: string, pen: number): string {
  return stableMRID(lfdi, what).slice(0, -PEN_DIGITS) + String(pen).padStart(PEN_DIGITS, "0");
}
