import { createHash, X509Certificate } from "node:crypto";

/** Long form device identifier: the first 20 bytes of the SHA-256 of the certificate, 40 hexadecimal letters. */
export function lfdiOf(certPem: string): string {
  const { raw } = new X509Certificate(certPem);
  return createHash("sha256").update(raw).digest("hex").slice(0, 40).toUpperCase();
}

/** Short form: the first 36 bits as a decimal number, and a digit that makes the sum of all digits a multiple of ten. */
export function sfdiOf(lfdi: string): string {
  const number = String(Number.parseInt(lfdi.slice(0, 9), 16));
  let sum = 0;
  for (const digit of number) sum += Number(digit);
  return `${number}${(10 - (sum % 10)) % 10}`;
}

/** A 128-bit mRID of this device's own: stable for one name, with the enterprise number 40732 in its low 32 bits. */
export function ownMrid(lfdi: string, name: string): string {
  const digest = createHash("sha256").update(`${lfdi}/${name}`).digest("hex");
  return `${digest.slice(0, 24).toUpperCase()}00009F1C`;
}
