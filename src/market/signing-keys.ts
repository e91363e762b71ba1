import { createPrivateKey, createPublicKey, type KeyObject } from "node:crypto";

// DER heads of an Ed25519 key (RFC 8410): Node takes keys in a container, Beckn hands out the bare 32 bytes.
const PKCS8_HEAD = Buffer.from("302e020100300506032b657004220420", "hex");
const SPKI_HEAD = Buffer.from("302a300506032b6570032100", "hex");

/**
 * An Ed25519 private key as Beckn hands it out.
 * @param base64 the 32-byte seed, or 64 bytes of seed and public key (libsodium's form)
 * @throws RangeError if it is neither, or if the two halves don't belong together
 */
export function privateKeyFromBase64(base64: string): KeyObject {
  const bytes = Buffer.from(base64, "base64");
  if (bytes.length !== 32 && bytes.length !== 64) {
    throw new RangeError(
      `an Ed25519 private key is base64 of 32 bytes (seed) or 64 bytes (seed and public key), this one has ${bytes.length}`,
    );
  }
  const key = createPrivateKey({
    key: Buffer.concat([PKCS8_HEAD, bytes.subarray(0, 32)]),
    format: "der",
    type: "pkcs8",
  });
  if (bytes.length === 64 && publicKeyText(key) !== bytes.subarray(32).toString("base64")) {
    throw new RangeError("the second half of this 64-byte Ed25519 private key is not the public key of its first half");
  }
  return key;
}

/** Base64 of the bare 32 bytes of the public key that belongs to a private key. */
export function publicKeyText(privateKey: KeyObject): string {
  const spki = createPublicKey(privateKey).export({ format: "der", type: "spki" });
  return spki.subarray(SPKI_HEAD.length).toString("base64");
}

/**
 * The public keys that we trust, pinned in the configuration: no registry is asked, so an outage there or a forged answer
 * changes nothing here. Each key is unwrapped once.
 */
export class PinnedKeys {
  readonly #keys = new Map<string, KeyObject>();
  /** Keys whose id is a registry's record: record → who it belongs to. */
  readonly #owners = new Map<string, string>();

  /**
   * @param keys `subscriberId|keyId` → base64 of the bare 32-byte Ed25519 public key
   * @throws RangeError naming the entry that is not such a key
   */
  constructor(keys: Iterable<readonly [string, string]>) {
    for (const [name, base64] of keys) {
      const bytes = Buffer.from(base64, "base64");
      if (!/^[^|]+\|[^|]+$/.test(name)) throw new RangeError(`pinned key "${name}": expected subscriberId|keyId`);
      if (bytes.length !== 32) {
        throw new RangeError(
          `pinned key "${name}": expected base64 of a 32-byte Ed25519 public key, got ${bytes.length} bytes`,
        );
      }
      const [subscriberId = "", keyId = ""] = name.split("|");
      if (isRecord(keyId)) {
        const owner = this.#owners.get(keyId);
        if (owner !== undefined && owner !== subscriberId) {
          throw new RangeError(`pinned key "${name}": the record "${keyId}" is pinned for "${owner}" already`);
        }
        this.#owners.set(keyId, subscriberId);
      }
      this.#keys.set(name, createPublicKey({ key: Buffer.concat([SPKI_HEAD, bytes]), format: "der", type: "spki" }));
    }
  }

  find(subscriberId: string, keyId: string): KeyObject | undefined {
    return this.#keys.get(`${subscriberId}|${keyId}`);
  }

  /** Whom a registry's record belongs to, by what was pinned: the record's own name proves nothing. */
  ownerOf(record: string): string | undefined {
    return this.#owners.get(record);
  }
}

/** Whether a key id is a record of a registry, `{namespace}/{registry}/{record}` or its https address. */
export function isRecord(keyId: string): boolean {
  return keyId.includes("/");
}
