import { createHash, generateKeyPair, type KeyObject, randomBytes, sign } from "node:crypto";
import { promisify } from "node:util";
import {
  bitString,
  boolean,
  integer,
  objectIdentifier,
  octetString,
  sequence,
  setOf,
  tagged,
  taggedPrimitive,
  time,
  utf8String,
} from "./asn1.ts";

const OID = {
  commonName: "2.5.4.3",
  ecdsaWithSha256: "1.2.840.10045.4.3.2",
  subjectKeyIdentifier: "2.5.29.14",
  keyUsage: "2.5.29.15",
  subjectAltName: "2.5.29.17",
  basicConstraints: "2.5.29.19",
  certificatePolicies: "2.5.29.32",
  authorityKeyIdentifier: "2.5.29.35",
  hardwareModuleName: "1.3.6.1.5.5.7.8.4",
} as const;

/** RFC 5280, 4.1.2.5: the value for "no well-defined expiration date", which device certificates carry. */
const NEVER_MS = Date.UTC(9999, 11, 31, 23, 59, 59);

/** A name in a certificate's subjectAltName. */
export type AltName =
  | { readonly kind: "dns"; readonly name: string }
  | { readonly kind: "ip4"; readonly address: string }
  /** RFC 4108: how a device that has no host name says which one it is. */
  | { readonly kind: "hardware"; readonly type: string; readonly serial: string };

export interface CertificateRequest {
  /** Absent: an empty subject, as CSIP wants it for devices. */
  readonly commonName?: string;
  readonly isAuthority: boolean;
  readonly altNames: readonly AltName[];
  readonly policies: readonly string[];
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
  const algorithm = sequence(objectIdentifier(OID.ecdsaWithSha256));
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
    tagged(3, sequence(...extensions(request, keys, signer))),
  );
  const signature = sign("sha256", body, signer.keys.privateKey);
  return pem("CERTIFICATE", sequence(body, algorithm, bitString(signature)));
}

/** The private key as PKCS #8 PEM. */
export function privateKeyPem(keys: KeyPair): string {
  return keys.privateKey.export({ type: "pkcs8", format: "pem" }).toString();
}

function extensions(request: CertificateRequest, keys: KeyPair, signer: Issuer): Buffer[] {
  const constraints = request.isAuthority ? sequence(boolean(true), integer(Buffer.of(0))) : sequence();
  // keyCertSign and cRLSign, or digitalSignature and keyAgreement.
  const usage = request.isAuthority ? bitString(Buffer.of(0b0000_0110), 1) : bitString(Buffer.of(0b1000_1000), 3);
  const list = [
    extension(OID.basicConstraints, true, constraints),
    extension(OID.keyUsage, true, usage),
    extension(OID.subjectKeyIdentifier, false, octetString(keyIdentifier(keys.publicKey))),
    extension(OID.authorityKeyIdentifier, false, sequence(taggedPrimitive(0, keyIdentifier(signer.keys.publicKey)))),
  ];
  if (request.altNames.length > 0) {
    list.push(extension(OID.subjectAltName, true, sequence(...request.altNames.map(generalName))));
  }
  if (request.policies.length > 0) {
    const policies = request.policies.map((policy) => sequence(objectIdentifier(policy)));
    list.push(extension(OID.certificatePolicies, true, sequence(...policies)));
  }
  return list;
}

function extension(oid: string, critical: boolean, value: Buffer): Buffer {
  const flag = critical ? [boolean(true)] : [];
  return sequence(objectIdentifier(oid), ...flag, octetString(value));
}

function generalName(name: AltName): Buffer {
  switch (name.kind) {
    case "dns":
      return taggedPrimitive(2, Buffer.from(name.name, "ascii"));
    case "ip4":
      return taggedPrimitive(7, Buffer.from(name.address.split(".").map(Number)));
    case "hardware": {
      const module = sequence(objectIdentifier(name.type), octetString(Buffer.from(name.serial, "utf8")));
      return tagged(0, objectIdentifier(OID.hardwareModuleName), tagged(0, module));
    }
  }
}

function distinguishedName(commonName: string | undefined): Buffer {
  if (commonName === undefined) return sequence();
  return sequence(setOf(sequence(objectIdentifier(OID.commonName), utf8String(commonName))));
}

/** RFC 5280, 4.2.1.2, method 1, over the whole key structure: any stable digest serves. */
function keyIdentifier(publicKey: KeyObject): Buffer {
  return createHash("sha1")
    .update(publicKey.export({ type: "spki", format: "der" }))
    .digest();
}

function pem(label: string, der: Buffer): string {
  const lines = der.toString("base64").match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join("\n")}\n-----END ${label}-----\n`;
}
