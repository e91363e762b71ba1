import { createHash, type KeyObject, sign, verify } from "node:crypto";
import { canonicalJson } from "../settlement/canonical-json.ts";
import { LOG_FORMAT, type LogRecord, MAX_LINE_BYTES, type RecordBody } from "./log-record.ts";

/** Where in the chain a record comes. */
export interface ChainPlace {
  readonly seq: number;
  readonly previous: string;
  /** When it is written, RFC 3339. */
  readonly at: string;
}

/**
 * Puts a record into the chain. Its hash is the SHA-256 of the UTF-8 of its canonical JSON (RFC 8785: keys sorted, no white
 * space) without `hash` and `signature`; its signature is Ed25519 over the name of the format, a space and the hash in hex.
 * @returns the line without its end, in canonical JSON as well, and the hash
 * @throws RangeError if the line would be too long
 */
export function sealRecord(body: RecordBody, place: ChainPlace, privateKey: KeyObject): { line: string; hash: string } {
  const content = { ...body, ...place };
  const hash = sha256(canonicalJson(content));
  const signature = sign(null, signedText(hash), privateKey).toString("base64");
  const line = canonicalJson({ ...content, hash, signature });
  const bytes = Buffer.byteLength(line);
  if (bytes > MAX_LINE_BYTES) throw new RangeError(`a record would be ${bytes} bytes, at most ${MAX_LINE_BYTES} fit`);
  return { line, hash };
}

/** Whether a line is letter for letter what sealing its record writes, so that no byte can change unseen. */
export function isSealed(line: string, record: LogRecord): boolean {
  const { hash, signature, ...content } = record;
  return canonicalJson(record) === line && sha256(canonicalJson(content)) === hash;
}

export function isSignedBy(record: LogRecord, publicKey: KeyObject): boolean {
  const signature = Buffer.from(record.signature, "base64");
  // Base64 has spare bits at its end: two texts may stand for the same bytes, and only one was written.
  if (signature.toString("base64") !== record.signature) return false;
  return verify(null, signedText(record.hash), publicKey, signature);
}

export function sha256(content: string | Uint8Array): string {
  return createHash("sha256").update(content).digest("hex");
}

/** The name of the format keeps a signature from passing for one over anything else that the key may sign. */
function signedText(hash: string): Buffer {
  return Buffer.from(`${LOG_FORMAT} ${hash}`);
}
