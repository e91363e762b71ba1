import { createHash, randomBytes } from "node:crypto";

/** A device's long form identifier: 40 hex digits, upper case. */
export type Lfdi = string;

/** LFDI of a certificate: the first 20 bytes of the SHA-256 over its DER form (2030.5-2018, 6.3.4). */
export function lfdiFromCertificate(der: Uint8Array): Lfdi {
  return createHash("sha256").update(der).digest("hex").slice(0, 40).toUpperCase();
}

/** LFDIs in one form, so that they compare letter by letter: some clients leave leading zeros away. */
export function canonicalLfdi(hex: string): Lfdi {
  return hex.toUpperCase().padStart(40, "0");
}

/**
 * SFDI of an LFDI: its first 36 bits as a decimal number, and a digit that makes the sum of all digits a multiple of ten
 * (2030.5-2018, 6.3.3). The sum is plain, not Luhn's.
 */
export function sfdiFromLfdi(lfdi: Lfdi): number {
  const short = Number.parseInt(canonicalLfdi(lfdi).slice(0, 9), 16);
  return short * 10 + checkDigit(short);
}

/** Makes the sum of all digits a multiple of ten. */
function checkDigit(value: number): number {
  let sum = 0;
  for (const digit of String(value)) sum += Number(digit);
  return (10 - (sum % 10)) % 10;
}

/**
 * Low 32 bits of every mRID we make: the IANA enterprise number of its maker. We have none, and 0 is reserved, so it
 * can't be taken for somebody else's.
 */
const ENTERPRISE = "00000000";

/** A fresh mRID: 96 random bits over our enterprise number. */
export function newMRID(): string {
  return randomBytes(12).toString("hex").toUpperCase() + ENTERPRISE;
}

/** An mRID that is the same after a restart, for what exists once per device. */
export function stableMRID(lfdi: Lfdi, what: string): string {
  const digest = createHash("sha256")
    .update(`${canonicalLfdi(lfdi)} ${what}`)
    .digest("hex");
  return digest.slice(0, 24).toUpperCase() + ENTERPRISE;
}

/** mRIDs are numbers: clients drop leading zeros and change case, so they are compared in this form. */
export function canonicalMRID(hex: string): string {
  return hex.toUpperCase().padStart(32, "0");
}
