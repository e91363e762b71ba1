import { crc32 } from "node:zlib";

/**
 * 32 bits that differ where two frames do (CRC-32 of their bytes). Good enough to tell a repeat from another message of the same
 * id, and no proof against anyone who means to deceive: he would only deceive himself.
 */
export function fingerprint(text: string): number {
  return crc32(text);
}
