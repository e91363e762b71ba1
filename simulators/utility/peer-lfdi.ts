import { createHash } from "node:crypto";

/** LFDI of a certificate that a peer showed: 40 hexadecimal digits, upper case. @param der its bytes */
export function lfdiFrom(der: Buffer): string {
  return createHash("sha256").update(der).digest("hex").slice(0, 40).toUpperCase();
}
