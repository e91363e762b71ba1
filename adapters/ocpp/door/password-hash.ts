import { randomBytes, type ScryptOptions, scrypt, timingSafeEqual } from "node:crypto";

/** A password that can be checked and not read; in the text form of the PHC, `$scrypt$ln=..,r=..,p=..$salt$key`. */
export interface PasswordHash {
  readonly logCost: number;
  readonly blockSize: number;
  readonly parallel: number;
  readonly salt: Buffer;
  readonly key: Buffer;
}

/** 16 MiB and about 40 ms: keys of chargers are made by machines, and many of them come back at once after a power cut. */
const USUAL = { logCost: 14, blockSize: 8, parallel: 1 } as const;

const SALT_BYTES = 16;
const KEY_BYTES = 32;

/** Memory that a hash from the config may ask for: one is worked on at a time, beside all else that a gateway does. */
const MAX_MEMORY_BYTES = 64 * 1024 * 1024;

export const PASSWORD_HASH_PATTERN =
  /^\$scrypt\$ln=(\d{1,2}),r=(\d{1,2}),p=(\d{1,2})\$([A-Za-z0-9+/]{16,88})\$([A-Za-z0-9+/]{22,88})$/;

/** @throws Error for people, without the text */
export function parsePasswordHash(text: string): PasswordHash {
  const parts = PASSWORD_HASH_PATTERN.exec(text);
  if (parts === null)
    throw new Error("passwordHash must come from `setpointd ocpp password`: $scrypt$ln=14,r=8,p=1$...");
  const [, logCost = "", blockSize = "", parallel = "", salt = "", key = ""] = parts;
  const hash = {
    logCost: Number(logCost),
    blockSize: Number(blockSize),
    parallel: Number(parallel),
    salt: Buffer.from(salt, "base64"),
    key: Buffer.from(key, "base64"),
  };
  if (hash.logCost < 10 || hash.blockSize < 1 || hash.parallel < 1 || hash.parallel > 4) {
    throw new Error("passwordHash: ln must be 10 or more, r 1 or more, p 1 to 4");
  }
  if (memoryBytes(hash) > MAX_MEMORY_BYTES)
    throw new Error("passwordHash: ln and r ask for more than 64 MiB of memory");
  return hash;
}

/** @returns the line for the config */
export async function hashPassword(password: Buffer): Promise<string> {
  const salt = randomBytes(SALT_BYTES);
  const key = await derive(password, { ...USUAL, salt, key: Buffer.alloc(KEY_BYTES) });
  const { logCost, blockSize, parallel } = USUAL;
  return `$scrypt$ln=${logCost},r=${blockSize},p=${parallel}$${plainBase64(salt)}$${plainBase64(key)}`;
}

/** Works on another thread; takes as long for a wrong password as for the right one. */
export async function passwordMatches(password: Buffer, hash: PasswordHash): Promise<boolean> {
  return timingSafeEqual(await derive(password, hash), hash.key);
}

function derive(password: Buffer, hash: PasswordHash): Promise<Buffer> {
  const options: ScryptOptions = {
    N: 2 ** hash.logCost,
    r: hash.blockSize,
    p: hash.parallel,
    maxmem: 2 * MAX_MEMORY_BYTES,
  };
  return new Promise((resolve, reject) => {
    scrypt(password, hash.salt, hash.key.length, options, (error, key) => (error ? reject(error) : resolve(key)));
  });
}

function memoryBytes({ logCost, blockSize }: { logCost: number; blockSize: number }): number {
  return 128 * blockSize * 2 ** logCost;
}

/** Without padding, as the PHC wants it. */
function plainBase64(bytes: Buffer): string {
  return bytes.toString("base64").replace(/=+$/, "");
}
