import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign,
  verify,
} from "node:crypto";

/** DER wrapping of a raw Ed25519 key (RFC 8410), which is what the network publishes: 32 bytes in base64. */
const PKCS8_PREFIX = Buffer.from("302e020100300506032b657004220420", "hex");
const SPKI_PREFIX = Buffer.from("302a300506032b6570032100", "hex");

const SIGNED_HEADERS = "(created) (expires) digest";
/** Both names of the same digest are in use; the name is part of what is signed. */
const DIGEST_LABELS = ["BLAKE-512", "BLAKE2b-512"] as const;
/** Seconds by which a signer's clock may be ahead of ours. */
const CREATED_TOLERANCE_S = 5;
const LIFETIME_S = 300;
const MAX_HEADER_LETTERS = 2048;

/** The market's own identity on the network. */
export interface SigningKey {
  readonly subscriberId: string;
  readonly keyId: string;
  readonly privateKey: KeyObject;
  /** Raw 32 bytes, base64. */
  readonly publicKey: string;
}

/**
 * @param privateKey base64 of the 32-byte seed, or of seed and public key together (64 bytes); absent: a new key
 * @throws RangeError if it is neither
 */
export function createSigningKey(subscriberId: string, keyId: string, privateKey?: string): SigningKey {
  const key = privateKey === undefined ? generateKeyPairSync("ed25519").privateKey : privateKeyFrom(privateKey);
  const spki = createPublicKey(key).export({ format: "der", type: "spki" });
  return { subscriberId, keyId, privateKey: key, publicKey: spki.subarray(SPKI_PREFIX.length).toString("base64") };
}

/** Seed of a key in base64, to keep it in a file. */
export function seedOf(key: SigningKey): string {
  const pkcs8 = key.privateKey.export({ format: "der", type: "pkcs8" });
  return pkcs8.subarray(PKCS8_PREFIX.length).toString("base64");
}

/** The value of the `Authorization` header for exactly these bytes. */
export function authorization(key: SigningKey, body: string, nowMs: number): string {
  const created = Math.floor(nowMs / 1000);
  const expires = created + LIFETIME_S;
  const signature = sign(null, signingString(created, expires, DIGEST_LABELS[0], body), key.privateKey);
  return (
    `Signature keyId="${key.subscriberId}|${key.keyId}|ed25519",algorithm="ed25519",` +
    `created="${created}",expires="${expires}",headers="${SIGNED_HEADERS}",signature="${signature.toString("base64")}"`
  );
}

export type SignatureCheck =
  | { readonly ok: true; readonly subscriberId: string }
  | { readonly ok: false; readonly code: "SIGNATURE_MISSING" | "SIGNATURE_INVALID"; readonly reason: string };

/**
 * Checks who sent these bytes.
 * @param publicKeys `subscriber|key` → raw public key, base64
 */
export function checkAuthorization(
  header: string | undefined,
  body: Buffer,
  nowMs: number,
  publicKeys: ReadonlyMap<string, string>,
): SignatureCheck {
  if (header === undefined) {
    return { ok: false, code: "SIGNATURE_MISSING", reason: "the Authorization header is missing" };
  }
  const parts = parseHeader(header);
  if (parts === undefined) return invalid('the Authorization header is not of the form Signature name="value",…');
  const { keyId = "", algorithm, headers, signature = "" } = parts;
  const [subscriberId, uniqueKeyId, keyAlgorithm, ...rest] = keyId.split("|");
  if (subscriberId === undefined || uniqueKeyId === undefined || rest.length > 0) {
    return invalid("keyId is not subscriber|key|ed25519");
  }
  if (keyAlgorithm !== "ed25519" || (algorithm !== undefined && algorithm !== keyAlgorithm)) {
    return invalid("the algorithm must be ed25519");
  }
  if (headers !== SIGNED_HEADERS) return invalid(`headers must be "${SIGNED_HEADERS}"`);
  const created = seconds(parts["created"]);
  const expires = seconds(parts["expires"]);
  if (created === undefined || expires === undefined) return invalid("created and expires must be Unix seconds");
  if (created * 1000 > nowMs + CREATED_TOLERANCE_S * 1000) return invalid("the signature was created in the future");
  if (expires * 1000 < nowMs) return invalid("the signature has expired");
  const published = publicKeys.get(`${subscriberId}|${uniqueKeyId}`);
  const publicKey = published === undefined ? undefined : publicKeyFrom(published);
  if (publicKey === undefined) return invalid(`no public key is known for ${subscriberId}|${uniqueKeyId}`);
  const signatureBytes = Buffer.from(signature, "base64");
  const verified = DIGEST_LABELS.some((label) =>
    verify(null, signingString(created, expires, label, body), publicKey, signatureBytes),
  );
  return verified ? { ok: true, subscriberId } : invalid("the signature does not fit the body");
}

function signingString(created: number, expires: number, label: string, body: string | Buffer): Buffer {
  const digest = createHash("blake2b512").update(body).digest("base64");
  return Buffer.from(`(created): ${created}\n(expires): ${expires}\ndigest: ${label}=${digest}`);
}

/** `undefined` if anything in the header is not understood, or a name comes twice. */
function parseHeader(header: string): { readonly [name: string]: string } | undefined {
  if (header.length > MAX_HEADER_LETTERS || !header.startsWith("Signature ")) return undefined;
  const parts = new Map<string, string>();
  for (const part of header.slice("Signature ".length).split(",")) {
    const match = /^\s*([A-Za-z]+)=(?:"([^"]*)"|(\d+))\s*$/.exec(part);
    const name = match?.[1];
    if (match === null || name === undefined || parts.has(name)) return undefined;
    parts.set(name, match[2] ?? match[3] ?? "");
  }
  return Object.fromEntries(parts);
}

function seconds(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,12}$/.test(text) ? Number(text) : undefined;
}

function privateKeyFrom(base64: string): KeyObject {
  const bytes = Buffer.from(base64.trim(), "base64");
  if (bytes.length !== 32 && bytes.length !== 64) {
    throw new RangeError(`an Ed25519 private key has 32 or 64 bytes in base64, this one has ${bytes.length}`);
  }
  return createPrivateKey({
    key: Buffer.concat([PKCS8_PREFIX, bytes.subarray(0, 32)]),
    format: "der",
    type: "pkcs8",
  });
}

function publicKeyFrom(base64: string): KeyObject | undefined {
  const bytes = Buffer.from(base64, "base64");
  if (bytes.length !== 32) return undefined;
  return createPublicKey({ key: Buffer.concat([SPKI_PREFIX, bytes]), format: "der", type: "spki" });
}

function invalid(reason: string): SignatureCheck {
  return { ok: false, code: "SIGNATURE_INVALID", reason };
}
