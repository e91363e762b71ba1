import { generateKeyPair, type KeyObject, randomBytes, sign } from "node:crypto";
import { promisify } from "node:util";
import { bitString, integer, objectIdentifier, sequence, tagged, time } from "./asn1.ts";
import { type CertificateClaims, claimExtensions, distinguishedName, keyExtensions, pem } from "./certificate-parts.ts";

export const ECDSA_WITH_SHA256 = "1.2.840.10045.4.3.2";

/** RFC 5280, 4.1.2.5: the value for "no well-defined expiration date", which device certificates carry. */
const NEVER_MS = Date.UTC(9999, 11, 31, 23, 59, 59);

export interface CertificateRequest extends CertificateClaims {
  /** Absent: an empty subject, as CSIP wants it for devices. */
  readonly commonName?: string;
  readonly notBeforeMs: number;
  /** Absent: never ends. */
  readonly notAfterMs?: number;
}

export interface KeyPair {
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}

/** The certificate that signs, or `undefined` for one that signs itself. */
export interface Issuer {
  readonly commonName: string;
  readonly keys: KeyPair;
}

const generate = promisify(generateKeyPair);

/** A new P-256 key. */
export async function createKeyPair(): Promise<KeyPair> {
  return await generate("ec", { namedCurve: "P-256" });
}

/** An X.509 v3 certificate on P-256 with ECDSA-SHA256, PEM. Every extension that CSIP wants critical is. */
export function createCertificate(request: CertificateRequest, keys: KeyPair, issuer?: Issuer): string {
  const algorithm = sequence(objectIdentifier(ECDSA_WITH_SHA256));
  const signer = issuer ?? { commonName: request.commonName ?? "", keys };
  const body = sequence(
    tagged(0, integer(Buffer.of(2))),
    // The first byte keeps the serial number positive and of full length (RFC 5280, 4.1.2.2).
    integer(Buffer.concat([Buffer.of(1), randomBytes(15)])),
    algorithm,
    distinguishedName(signer.commonName),
    sequence(time(request.notBeforeMs), time(request.notAfterMs ?? NEVER_MS)),
    distinguishedName(request.commonName),
    keys.publicKey.export({ type: "spki", format: "der" }),
    tagged(3, sequence(...claimExtensions(request), ...keyExtensions(keys.publicKey, signer.keys.publicKey))),
  );
  const signature = sign("sha256", body, signer.keys.privateKey);
  return pem("CERTIFICATE", sequence(body, algorithm, bitString(signature)));
}

/** The private key as PKCS #8 PEM. */
export function privateKeyPem(keys: KeyPair): string {
  return keys.privateKey.export({ type: "pkcs8", format: "pem" }).toString();
}
