import { createHash, type KeyObject } from "node:crypto";
import { isIPv4 } from "node:net";
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
  utf8String,
} from "./asn1.ts";

const OID = {
  commonName: "2.5.4.3",
  subjectKeyIdentifier: "2.5.29.14",
  keyUsage: "2.5.29.15",
  subjectAltName: "2.5.29.17",
  basicConstraints: "2.5.29.19",
  certificatePolicies: "2.5.29.32",
  authorityKeyIdentifier: "2.5.29.35",
  hardwareModuleName: "1.3.6.1.5.5.7.8.4",
} as const;

/** A name in a certificate's subjectAltName. */
export type AltName =
  | { readonly kind: "dns"; readonly name: string }
  | { readonly kind: "ip4"; readonly address: string }
  /** RFC 4108: how a device that has no host name says which one it is. */
  | { readonly kind: "hardware"; readonly type: string; readonly serial: string };

/** What a certificate says of its owner beside name and key. */
export interface CertificateClaims {
  readonly isAuthority: boolean;
  readonly altNames: readonly AltName[];
  readonly policies: readonly string[];
}

/** The claims as X.509 extensions; every one that CSIP wants critical is. */
export function claimExtensions({ isAuthority, altNames, policies }: CertificateClaims): Buffer[] {
  const constraints = isAuthority ? sequence(boolean(true), integer(Buffer.of(0))) : sequence();
  // keyCertSign and cRLSign, or digitalSignature and keyAgreement.
  const usage = isAuthority ? bitString(Buffer.of(0b0000_0110), 1) : bitString(Buffer.of(0b1000_1000), 3);
  const list = [extension(OID.basicConstraints, true, constraints), extension(OID.keyUsage, true, usage)];
  if (altNames.length > 0) list.push(extension(OID.subjectAltName, true, sequence(...altNames.map(generalName))));
  if (policies.length > 0) {
    const named = policies.map((policy) => sequence(objectIdentifier(policy)));
    list.push(extension(OID.certificatePolicies, true, sequence(...named)));
  }
  return list;
}

/** Which key a certificate is for, and which one signed it. */
export function keyExtensions(ownKey: KeyObject, signersKey: KeyObject): Buffer[] {
  return [
    extension(OID.subjectKeyIdentifier, false, octetString(keyIdentifier(ownKey))),
    extension(OID.authorityKeyIdentifier, false, sequence(taggedPrimitive(0, keyIdentifier(signersKey)))),
  ];
}

/** A name of one common name, or the empty name. */
export function distinguishedName(commonName: string | undefined): Buffer {
  if (commonName === undefined) return sequence();
  return sequence(setOf(sequence(objectIdentifier(OID.commonName), utf8String(commonName))));
}

export function pem(label: string, der: Buffer): string {
  const lines = der.toString("base64").match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join("\n")}\n-----END ${label}-----\n`;
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
      if (!isIPv4(name.address)) throw new RangeError(`${name.address} is no IPv4 address`);
      return taggedPrimitive(7, Buffer.from(name.address.split(".").map(Number)));
    case "hardware": {
      const module = sequence(objectIdentifier(name.type), octetString(Buffer.from(name.serial, "utf8")));
      return tagged(0, objectIdentifier(OID.hardwareModuleName), tagged(0, module));
    }
  }
}

/** RFC 5280, 4.2.1.2, method 1, over the whole key structure: any stable digest serves. */
function keyIdentifier(publicKey: KeyObject): Buffer {
  return createHash("sha1")
    .update(publicKey.export({ type: "spki", format: "der" }))
    .digest();
}
