import { chmod, mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { systemClock } from "../src/clock.ts";
import { createCertificate, createKeyPair, privateKeyPem } from "../src/pki/certificate.ts";
import type { AltName } from "../src/pki/certificate-parts.ts";
import { serverName } from "../src/pki/server-names.ts";

/** A certificate and its key, PEM. */
export interface Credentials {
  readonly key: string;
  readonly cert: string;
}

/** A certificate authority that lives as long as this object. */
export interface Pki {
  /** The authority's own certificate, PEM. */
  readonly ca: string;
  /**
   * A new key and certificate.
   * - `server`: for 127.0.0.1 and localhost, and for `name` where that is a host name
   * - `device`: as CSIP has them: no subject, the name as hardware serial number, no end
   * @param notAfterMs another end than that, epoch ms by the real clock; for a certificate that has expired
   */
  issue(role: "server" | "device", name: string, notAfterMs?: number): Promise<Credentials>;
}

const DAY_MS = 86_400_000;

/** CSIP's policies: a device certificate, and one for tests only. */
const DEVICE_POLICY = "1.3.6.1.4.1.40732.1.1";
const TEST_POLICY = "1.3.6.1.4.1.40732.2.1";
/** Hardware type under the enterprise number that RFC 5612 keeps for examples. */
const HARDWARE_TYPE = "1.3.6.1.4.1.32473.1";

/** A throw-away PKI on P-256 for simulators, demos and tests; nothing is written anywhere. */
export async function createPki(): Promise<Pki> {
  const keys = await createKeyPair();
  // Certificates are checked against the real wall clock by the TLS library, whatever clock the simulation runs on.
  const notBeforeMs = systemClock.now() - DAY_MS;
  const authority = { commonName: "setpointd simulator CA", keys };
  const ca = createCertificate(
    { commonName: authority.commonName, isAuthority: true, altNames: [], policies: [], notBeforeMs },
    keys,
  );
  return {
    ca,
    issue: async (role, name, notAfterMs) => {
      const leafKeys = await createKeyPair();
      const request = { isAuthority: false, notBeforeMs };
      const cert =
        role === "server"
          ? createCertificate(
              {
                ...request,
                commonName: name.slice(0, 64),
                altNames: serverNames(name),
                policies: [TEST_POLICY],
                notAfterMs: notAfterMs ?? notBeforeMs + 366 * DAY_MS,
              },
              leafKeys,
              authority,
            )
          : createCertificate(
              {
                ...request,
                altNames: [{ kind: "hardware", type: HARDWARE_TYPE, serial: name }],
                policies: [DEVICE_POLICY],
                ...(notAfterMs !== undefined && { notAfterMs }),
              },
              leafKeys,
              authority,
            );
      return { key: privateKeyPem(leafKeys), cert };
    },
  };
}

function serverNames(name: string): AltName[] {
  return [...new Set(["127.0.0.1", "localhost", name])].map(serverName).filter((altName) => altName !== undefined);
}

/** Where the files of one device or server are. */
export interface CredentialFiles {
  readonly certFile: string;
  readonly keyFile: string;
}

/** A PKI in a folder: the authority, one server, and as many devices as asked for. */
export interface PkiFiles extends CredentialFiles {
  readonly caFile: string;
  /** Issues and writes the certificate of a device. */
  device(name: string): Promise<CredentialFiles & Credentials>;
}

/**
 * Makes a PKI and writes `ca.crt`, `server.crt` and `server.key` to a folder, each file readable by its owner only.
 * The authority's own key is never written. Files that are there already are replaced.
 */
export async function writePki(dir: string, serverName = "localhost"): Promise<PkiFiles> {
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const pki = await createPki();
  const caFile = join(dir, "ca.crt");
  await writePrivate(caFile, pki.ca);
  const server = await writeCredentials(dir, "server", await pki.issue("server", serverName));
  return {
    caFile,
    ...server,
    device: async (name) => {
      const credentials = await pki.issue("device", name);
      // An ERA may hold letters that mean something in a path.
      const files = await writeCredentials(dir, `device-${encodeURIComponent(name)}`, credentials);
      return { ...files, ...credentials };
    },
  };
}

async function writeCredentials(dir: string, stem: string, credentials: Credentials): Promise<CredentialFiles> {
  const files = { certFile: join(dir, `${stem}.crt`), keyFile: join(dir, `${stem}.key`) };
  await writePrivate(files.certFile, credentials.cert);
  await writePrivate(files.keyFile, credentials.key);
  return files;
}

async function writePrivate(file: string, text: string): Promise<void> {
  await rm(file, { force: true });
  await writeFile(file, text, { mode: 0o600, flag: "wx" });
  await chmod(file, 0o600);
}
