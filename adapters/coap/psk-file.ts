import { readFileSync, statSync } from "node:fs";

/** A file that holds no key, or that others could read. */
export class KeyFileError extends Error {
  override readonly name = "KeyFileError";
}

/** A longer key is none that a device takes, bytes (RFC 4279, 5.4 asks for 64). */
const MAX_KEY_BYTES = 256;

/**
 * A pre-shared key from its file; never shown and never logged.
 * @throws KeyFileError that names the file and what is wrong with it, and nothing of what it holds
 */
export function readPsk(file: string): Uint8Array {
  let text: string;
  let mode: number;
  try {
    mode = statSync(file).mode;
    text = readFileSync(file, "utf8").replace(/\r?\n$/, "");
  } catch (cause) {
    throw new KeyFileError(`key file: cannot read ${file}: ${cause instanceof Error ? cause.message : String(cause)}`);
  }
  if (process.platform !== "win32" && (mode & 0o077) !== 0)
    throw new KeyFileError(`key file: ${file} can be read by others; chmod 600 ${file}`);
  const key = text.startsWith("hex:") ? hexOf(text.slice(4), file) : Buffer.from(text, "utf8");
  if (key.length === 0 || key.length > MAX_KEY_BYTES)
    throw new KeyFileError(`key file: ${file} must hold a key of 1 to ${MAX_KEY_BYTES} bytes`);
  return key;
}

function hexOf(digits: string, file: string): Buffer {
  if (!/^([0-9a-fA-F]{2})+$/.test(digits))
    throw new KeyFileError(`key file: ${file} has no whole pairs of hexadecimal digits after hex:`);
  return Buffer.from(digits, "hex");
}
