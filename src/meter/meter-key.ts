import { createPublicKey, generateKeyPairSync, type KeyObject } from "node:crypto";
import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { privateKeyFromBase64, publicKeyText } from "../market/signing-keys.ts";

/**
 * The key that signs the interval log, from its file; made at the first start. The public half is written beside it as
 * `FILE.pub`: take that off the machine, and a log can be checked by somebody who does not trust the machine.
 * @param file base64 of a 32-byte Ed25519 seed, readable by its owner alone
 * @throws Error if others may read the file, or it holds no key
 */
export function loadOrCreateMeterKey(file: string): KeyObject {
  if (!existsSync(file)) {
    const { privateKey } = generateKeyPairSync("ed25519");
    const seed = privateKey.export({ format: "der", type: "pkcs8" }).subarray(-32).toString("base64");
    writeFileSync(file, `${seed}\n`, { mode: 0o600, flag: "wx", flush: true });
    writeFileSync(`${file}.pub`, `${publicKeyText(privateKey)}\n`, { mode: 0o644, flush: true });
    return privateKey;
  }
  const mode = statSync(file).mode & 0o777;
  if (process.platform !== "win32" && (mode & 0o077) !== 0) {
    throw new Error(`${file}: others may read this key (mode ${mode.toString(8)}); run: chmod 600 ${file}`);
  }
  try {
    return privateKeyFromBase64(readFileSync(file, "utf8").trim());
  } catch (error) {
    throw new Error(`${file}: ${(error as Error).message}`, { cause: error });
  }
}

/**
 * @param base64 of the bare 32 bytes of an Ed25519 public key
 * @throws RangeError if it is not that
 */
export function publicKeyFromBase64(base64: string): KeyObject {
  const bytes = Buffer.from(base64, "base64");
  if (bytes.length !== 32 || bytes.toString("base64") !== base64) {
    throw new RangeError("an Ed25519 public key is base64 of 32 bytes (44 characters)");
  }
  return createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x: bytes.toString("base64url") }, format: "jwk" });
}
