import { hash, type KeyObject, sign, verify } from "node:crypto";
import { isRecord, type PinnedKeys } from "./signing-keys.ts";

/** Why a signature does not count. */
export type SignatureFault =
  | "SIGNATURE_MISSING"
  | "SIGNATURE_MALFORMED"
  | "KEY_UNKNOWN"
  | "SIGNATURE_EXPIRED"
  | "SIGNATURE_NOT_YET_VALID"
  | "DIGEST_MISMATCH"
  | "REQUEST_SIGNATURE_UNKNOWN"
  | "SIGNATURE_BAD";

/**
 * Names under which the BLAKE2b-512 digest stands in the signed text. The protocol's yaml and what runs today say the
 * first, its 2026 draft on trust says the second; a verifier has to try both, since the name is signed too.
 */
export const DIGEST_LABELS = ["BLAKE-512", "BLAKE2b-512"] as const;
export type DigestLabel = (typeof DIGEST_LABELS)[number];

/** How far the sender's clock may be ahead of ours. */
const CREATED_TOLERANCE_S = 5;

const PLAIN_HEADERS = "(created) (expires) digest";
const CALLBACK_HEADERS = `${PLAIN_HEADERS} request-signature`;

/** The parts of `Authorization: Signature keyId="…",algorithm="ed25519",created="…",expires="…",headers="…",signature="…"`. */
export interface Authorization {
  readonly subscriberId: string;
  readonly keyId: string;
  /** Unix seconds. */
  readonly createdS: number;
  /** Unix seconds. */
  readonly expiresS: number;
  /** True when the signed text has a fourth line with the signature of the request that this message answers. */
  readonly coversRequest: boolean;
  /** 64 bytes. */
  readonly signature: Buffer;
}

/** Base64 of BLAKE2b-512 over the bytes as they came. */
export function digestOf(body: Uint8Array): string {
  return hash("blake2b512", body, "base64");
}

/** What is signed: three lines, or four in an answer to a signed request; no newline at the end. */
export function signingString(parts: {
  readonly createdS: number;
  readonly expiresS: number;
  readonly label: DigestLabel;
  readonly digest: string;
  /** Base64 signature of the request that is answered. */
  readonly requestSignature?: string;
}): string {
  const lines = [
    `(created): ${parts.createdS}`,
    `(expires): ${parts.expiresS}`,
    `digest: ${parts.label}=${parts.digest}`,
  ];
  if (parts.requestSignature !== undefined) lines.push(`request-signature: ${parts.requestSignature}`);
  return lines.join("\n");
}

/** Who signs, and with what. */
export interface Signer {
  readonly subscriberId: string;
  /** A name beside the subscriber's, or a record of a registry (with a slash in it), which then stands alone. */
  readonly keyId: string;
  readonly privateKey: KeyObject;
  /** `BLAKE-512` unless the network has moved on. */
  readonly label?: DigestLabel;
}

/** The header for a body, and the bare signature, which an answer may cover. */
export interface Signed {
  readonly authorization: string;
  /** Base64. */
  readonly signature: string;
}

/**
 * Signs a body as it goes on the wire.
 * @param lifetimeMs how long the signature counts; whole seconds, rounded up
 */
export function signBody(
  signer: Signer,
  body: Uint8Array,
  times: { readonly nowMs: number; readonly lifetimeMs: number },
  requestSignature?: string,
): Signed {
  const createdS = Math.floor(times.nowMs / 1000);
  const expiresS = createdS + Math.ceil(times.lifetimeMs / 1000);
  const text = signingString({
    createdS,
    expiresS,
    label: signer.label ?? "BLAKE-512",
    digest: digestOf(body),
    ...(requestSignature !== undefined && { requestSignature }),
  });
  const signature = sign(null, Buffer.from(text), signer.privateKey).toString("base64");
  const headers = requestSignature === undefined ? PLAIN_HEADERS : CALLBACK_HEADERS;
  const name = isRecord(signer.keyId) ? signer.keyId : `${signer.subscriberId}|${signer.keyId}`;
  const authorization = `Signature keyId="${name}|ed25519",algorithm="ed25519",created="${createdS}",expires="${expiresS}",headers="${headers}",signature="${signature}"`;
  return { authorization, signature };
}

export type SignatureResult =
  | { readonly ok: true; readonly signer: Authorization }
  | { readonly ok: false; readonly code: SignatureFault; readonly message: string };

/** A body with its signature, and what is needed to judge it. */
export interface SignedMessage {
  readonly body: Uint8Array;
  /** What `digestOf` gives for the body, where it is known already. */
  readonly digest?: string;
  readonly authorization: string | undefined;
  /** The `Digest` header, where the sender set one. */
  readonly digestHeader?: string | undefined;
  /** Base64 signature of our request that this message answers, where we know it. */
  readonly requestSignature?: string | undefined;
}

/** Checks a signature over the raw bytes against the pinned keys. */
export function verifySignature(message: SignedMessage, keys: PinnedKeys, nowMs: number): SignatureResult {
  if (message.authorization === undefined) return fault("SIGNATURE_MISSING", "no Authorization header");
  const parsed = parseAuthorization(message.authorization);
  if (typeof parsed === "string") return fault("SIGNATURE_MALFORMED", `Authorization header: ${parsed}`);
  const { keyId, createdS, expiresS } = parsed;
  const subscriberId = parsed.subscriberId ?? keys.ownerOf(keyId);
  const key = subscriberId === undefined ? undefined : keys.find(subscriberId, keyId);
  if (subscriberId === undefined || key === undefined) {
    const name = parsed.subscriberId === undefined ? keyId : `${parsed.subscriberId}|${keyId}`;
    return fault("KEY_UNKNOWN", `no pinned key for "${name}"`);
  }
  const nowS = nowMs / 1000;
  if (createdS > nowS + CREATED_TOLERANCE_S) {
    return fault("SIGNATURE_NOT_YET_VALID", `created ${createdS} is in the future, it is ${Math.floor(nowS)} here`);
  }
  if (expiresS <= nowS) return fault("SIGNATURE_EXPIRED", `expired at ${expiresS}, it is ${Math.floor(nowS)} here`);
  if (parsed.coversRequest && message.requestSignature === undefined) {
    return fault("REQUEST_SIGNATURE_UNKNOWN", "it covers the signature of a request that is not known here");
  }
  const digest = message.digest ?? digestOf(message.body);
  if (message.digestHeader !== undefined && !namesDigest(message.digestHeader, digest)) {
    return fault("DIGEST_MISMATCH", "the Digest header is not the BLAKE2b-512 digest of the body");
  }
  const holds = DIGEST_LABELS.some((label) => {
    const text = signingString({
      createdS,
      expiresS,
      label,
      digest,
      ...(parsed.coversRequest &&
        message.requestSignature !== undefined && { requestSignature: message.requestSignature }),
    });
    return verify(null, Buffer.from(text), key, parsed.signature);
  });
  return holds
    ? { ok: true, signer: { ...parsed, subscriberId } }
    : fault("SIGNATURE_BAD", "the signature does not belong to this body, these times and this key");
}

function fault(code: SignatureFault, message: string): SignatureResult {
  return { ok: false, code, message };
}

function namesDigest(header: string, digest: string): boolean {
  return DIGEST_LABELS.some((label) => header === `${label}=${digest}`);
}

const PARAMETER = /\s*([A-Za-z]+)=(?:"([^"]*)"|(\d+))\s*(?:,|$)/y;

/** What stands in a header; a key id that is a registry's record does not say whose it is. */
export type ParsedAuthorization = Omit<Authorization, "subscriberId"> & { readonly subscriberId?: string };

/** Reads the header, or says what is wrong with it. */
export function parseAuthorization(header: string): ParsedAuthorization | string {
  if (!header.startsWith("Signature ")) return 'the scheme must be "Signature"';
  const parameters = new Map<string, string>();
  PARAMETER.lastIndex = "Signature ".length;
  while (PARAMETER.lastIndex < header.length) {
    const match = PARAMETER.exec(header);
    const name = match?.[1];
    const value = match?.[2] ?? match?.[3];
    if (name === undefined || value === undefined) return 'expected name="value" pairs with commas between';
    if (parameters.has(name)) return `${name} stands twice`;
    parameters.set(name, value);
  }
  for (const name of ["keyId", "algorithm", "created", "expires", "headers", "signature"]) {
    if (!parameters.has(name)) return `${name} is missing`;
  }
  const names = (parameters.get("keyId") ?? "").split("|");
  const keyAlgorithm = names.pop();
  const keyId = names.pop();
  const subscriberId = names.pop();
  const isWhole = subscriberId === undefined ? isRecord(keyId ?? "") : subscriberId !== "" && names.length === 0;
  if (!keyId || !isWhole) {
    return "keyId must be subscriberId|keyId|ed25519 or namespace/registry/record|ed25519";
  }
  if (parameters.get("algorithm") !== "ed25519" || keyAlgorithm !== "ed25519") return "the algorithm must be ed25519";
  const headers = parameters.get("headers");
  // A signer who covers less than this leaves the rest open to change.
  if (headers !== PLAIN_HEADERS && headers !== CALLBACK_HEADERS) {
    return `headers must be "${PLAIN_HEADERS}" or "${CALLBACK_HEADERS}"`;
  }
  const createdS = unixSeconds(parameters.get("created"));
  const expiresS = unixSeconds(parameters.get("expires"));
  if (createdS === undefined || expiresS === undefined) return "created and expires must be Unix seconds";
  const text = parameters.get("signature") ?? "";
  const signature = Buffer.from(text, "base64");
  if (signature.length !== 64 || signature.toString("base64") !== text) return "signature must be base64 of 64 bytes";
  const coversRequest = headers === CALLBACK_HEADERS;
  return { ...(subscriberId !== undefined && { subscriberId }), keyId, createdS, expiresS, coversRequest, signature };
}

function unixSeconds(text: string | undefined): number | undefined {
  // The number is written into the signed text again, so it must have one spelling.
  return text !== undefined && /^(0|[1-9]\d{0,11})$/.test(text) ? Number(text) : undefined;
}
