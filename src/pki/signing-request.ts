import { sign } from "node:crypto";
import { bitString, integer, objectIdentifier, sequence, setOf, tagged } from "./asn1.ts";
import { ECDSA_WITH_SHA256, type KeyPair } from "./certificate.ts";
import { type CertificateClaims, claimExtensions, distinguishedName, pem } from "./certificate-parts.ts";

const EXTENSION_REQUEST = "1.2.840.113549.1.9.14";

/**
 * A PKCS #10 request (RFC 2986) on P-256 with ECDSA-SHA256, PEM: what an authority is sent, so that the key never leaves.
 * @param commonName absent for an empty subject
 */
export function createSigningRequest(commonName: string | undefined, claims: CertificateClaims, keys: KeyPair): string {
  const algorithm = sequence(objectIdentifier(ECDSA_WITH_SHA256));
  const extensions = sequence(...claimExtensions(claims));
  const body = sequence(
    integer(Buffer.of(0)),
    distinguishedName(commonName),
    keys.publicKey.export({ type: "spki", format: "der" }),
    tagged(0, sequence(objectIdentifier(EXTENSION_REQUEST), setOf(extensions))),
  );
  return pem("CERTIFICATE REQUEST", sequence(body, algorithm, bitString(sign("sha256", body, keys.privateKey))));
}
