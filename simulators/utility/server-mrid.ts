import { createHash } from "node:crypto";

/** A 128-bit mRID of the server's own, the same for the same thing; enterprise number 40732 in its low 32 bits. */
export function serverMrid(kind: string, id: number | string): string {
  return `${createHash("sha256").update(`utility/${kind}/${id}`).digest("hex").slice(0, 24).toUpperCase()}00009F1C`;
}
