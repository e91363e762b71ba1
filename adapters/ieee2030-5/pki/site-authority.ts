import { createPrivateKey, createPublicKey, X509Certificate } from "node:crypto";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import {
  type CertificateRequest,
  createCertificate,
  createKeyPair,
  type Issuer,
  privateKeyPem,
} from "../../../src/pki/certificate.ts";
import type { AltName } from "../../../src/pki/certificate-parts.ts";
import { OperationError } from "../../kind.ts";
import { type Lfdi, lfdiFromCertificate, sfdiFromLfdi } from "../identity.ts";
import { writeKeyPair } from "./key-files.ts";

const DAY_MS = 86_400_000;
/** CSIP's policy for certificates of 2030.5 devices; a server is one too. */
const DEVICE_POLICY = "1.3.6.1.4.1.40732.1.1";
const AUTHORITY = "ca";

/** A certificate that was made, and who it makes its owner. */
export interface IssuedIdentity {
  readonly certFile: string;
  readonly keyFile: string;
  readonly lfdi: Lfdi;
  readonly sfdi: number;
}

/** How long certificates hold; absent: no end, as those of 2030.5 devices have none. */
export type Lifetime = { readonly nowMs: number; readonly days?: number };

/** A site's own certificate authority: a folder with `ca.key`, `ca.crt` and what they signed. */
export class SiteAuthority {
  readonly #folder: string;
  readonly #issuer: Issuer;
  readonly caFile: string;

  private constructor(folder: string, issuer: Issuer) {
    this.#folder = folder;
    this.#issuer = issuer;
    this.caFile = join(folder, `${AUTHORITY}.crt`);
  }

  /**
   * The authority of a folder, made where there is none yet.
   * @throws OperationError when what is there is no authority
   */
  static async createOrOpen(folder: string, commonName: string, nowMs: number): Promise<SiteAuthority> {
    return existsSync(join(folder, `${AUTHORITY}.key`))
      ? await SiteAuthority.open(folder)
      : await SiteAuthority.#create(folder, commonName, nowMs);
  }

  static async #create(folder: string, commonName: string, nowMs: number): Promise<SiteAuthority> {
    const keys = await createKeyPair();
    const request = { commonName, isAuthority: true, altNames: [], policies: [], notBeforeMs: nowMs - DAY_MS };
    const pem = createCertificate(request, keys);
    await writeKeyPair(folder, AUTHORITY, privateKeyPem(keys), { ending: "crt", pem });
    return new SiteAuthority(folder, { commonName, keys });
  }

  /** @throws OperationError when the folder holds none */
  static async open(folder: string): Promise<SiteAuthority> {
    const read = async (ending: string) => {
      const file = join(folder, `${AUTHORITY}.${ending}`);
      try {
        return await readFile(file);
      } catch (cause) {
        const reason = cause instanceof Error ? cause.message : String(cause);
        throw new OperationError("not-found", `${reason}; make an authority with: setpointd 2030.5 pki init`);
      }
    };
    const [key, cert] = await Promise.all([read("key"), read("crt")]);
    return new SiteAuthority(folder, issuerFrom(folder, key, cert));
  }

  /** A certificate for a server under these names, each a host name or an IPv4 address. */
  async server(names: readonly AltName[], commonName: string, lifetime: Lifetime): Promise<IssuedIdentity> {
    return await this.#issue("server", { commonName: commonName.slice(0, 64), altNames: names }, lifetime);
  }

  /** A certificate for a device: no subject, its serial number under the OID of its hardware type (RFC 4108). */
  async device(name: string, hardwareType: string, lifetime: Lifetime): Promise<IssuedIdentity> {
    const altNames: AltName[] = [{ kind: "hardware", type: hardwareType, serial: name }];
    // A name may hold letters that mean something in a path.
    return await this.#issue(`device-${encodeURIComponent(name)}`, { altNames }, lifetime);
  }

  async #issue(
    stem: string,
    who: Pick<CertificateRequest, "commonName" | "altNames">,
    { nowMs, days }: Lifetime,
  ): Promise<IssuedIdentity> {
    const keys = await createKeyPair();
    const request: CertificateRequest = {
      ...who,
      isAuthority: false,
      policies: [DEVICE_POLICY],
      notBeforeMs: nowMs - DAY_MS,
      ...(days === undefined ? {} : { notAfterMs: nowMs + days * DAY_MS }),
    };
    const pem = createCertificate(request, keys, this.#issuer);
    const files = await writeKeyPair(this.#folder, stem, privateKeyPem(keys), { ending: "crt", pem });
    const lfdi = lfdiFromCertificate(new X509Certificate(pem).raw);
    return { certFile: files.otherFile, keyFile: files.keyFile, lfdi, sfdi: sfdiFromLfdi(lfdi) };
  }
}

/** @throws OperationError when key and certificate are no pair, or not made by `create` */
function issuerFrom(folder: string, key: Buffer, cert: Buffer): Issuer {
  try {
    const certificate = new X509Certificate(cert);
    const privateKey = createPrivateKey(key);
    const [, commonName] = /^CN=(.+)$/.exec(certificate.subject) ?? [];
    if (certificate.ca && commonName !== undefined && certificate.checkPrivateKey(privateKey)) {
      return { commonName, keys: { privateKey, publicKey: createPublicKey(privateKey) } };
    }
  } catch {
    // What OpenSSL says of a broken file helps nobody more than the sentence below.
  }
  throw new OperationError("invalid", `${folder}: ca.key and ca.crt are no authority that pki init has made`);
}
