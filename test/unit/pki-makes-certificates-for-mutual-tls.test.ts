import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { createServer, get } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TLSSocket } from "node:tls";
import { describe, expect, test } from "vitest";
import { type Credentials, createPki, writePki } from "../../simulators/pki.ts";

// SECLEVEL=0: newer OpenSSL counts the eight-byte tag of CCM8 as too weak for its default level.
const IEEE_2030_5_TLS = {
  minVersion: "TLSv1.2",
  maxVersion: "TLSv1.2",
  ciphers: "ECDHE-ECDSA-AES128-CCM8:@SECLEVEL=0",
  ecdhCurve: "prime256v1",
} as const;

/** Asks an https server that wants a client certificate, and says what each side saw. */
async function shakeHands(ca: string, server: Credentials, device: Credentials | undefined, host = "127.0.0.1") {
  const https = createServer(
    { ...IEEE_2030_5_TLS, ...server, ca, requestCert: true, rejectUnauthorized: true },
    (request, response) => {
      const socket = request.socket as TLSSocket;
      response.end(JSON.stringify({ peer: socket.getPeerX509Certificate()?.fingerprint256, ...socket.getCipher() }));
    },
  );
  https.listen(0, "127.0.0.1");
  await once(https, "listening");
  const { port } = https.address() as AddressInfo;
  try {
    return await new Promise<{ peer: string; standardName: string }>((resolve, reject) => {
      const options = { ...IEEE_2030_5_TLS, ...device, ca, agent: false };
      get(`https://${host}:${port}/`, options, (response) => {
        let body = "";
        response.on("data", (chunk: Buffer) => {
          body += chunk.toString();
        });
        response.on("end", () => resolve(JSON.parse(body)));
        response.on("error", reject);
      }).on("error", reject);
    });
  } finally {
    https.closeAllConnections();
    https.close();
  }
}

describe("the PKI of the simulators", () => {
  test("server and device trust each other over the cipher of IEEE 2030.5", async () => {
    const pki = await createPki();
    const server = await pki.issue("server", "gateway");
    const device = await pki.issue("device", "inverter-1");
    for (const host of ["127.0.0.1", "localhost"]) {
      const seen = await shakeHands(pki.ca, server, device, host);
      expect(seen.standardName).toBe("TLS_ECDHE_ECDSA_WITH_AES_128_CCM_8");
      expect(seen.peer).toBe(new X509Certificate(device.cert).fingerprint256);
    }
  });

  test("a client without a certificate, or with another authority's, is turned away", async () => {
    const pki = await createPki();
    const stranger = await (await createPki()).issue("device", "inverter-1");
    const server = await pki.issue("server", "gateway");
    await expect(shakeHands(pki.ca, server, undefined)).rejects.toThrow();
    await expect(shakeHands(pki.ca, server, stranger)).rejects.toThrow();
  });

  test("a device certificate is what CSIP asks for: no subject, a serial number, no end", async () => {
    const pki = await createPki();
    const device = new X509Certificate((await pki.issue("device", "inverter-1")).cert);
    expect(device.verify(new X509Certificate(pki.ca).publicKey)).toBe(true);
    expect(device.ca).toBe(false);
    expect(device.subject).toBeFalsy();
    expect(new Date(device.validTo).getUTCFullYear()).toBe(9999);
    expect(device.publicKey.asymmetricKeyDetails?.namedCurve).toBe("prime256v1");
    expect(device.raw.includes(Buffer.from("inverter-1"))).toBe(true);
    // The policy 1.3.6.1.4.1.40732.1.1, as DER writes it.
    expect(device.raw.includes(Buffer.from("060a2b0601040182be1c0101", "hex"))).toBe(true);
  });

  test("two certificates of one name have different keys and serial numbers", async () => {
    const pki = await createPki();
    const [first, second] = [await pki.issue("device", "a"), await pki.issue("device", "a")];
    expect(first.key).not.toBe(second.key);
    expect(new X509Certificate(first.cert).serialNumber).not.toBe(new X509Certificate(second.cert).serialNumber);
  });

  test("files are readable by their owner only, whatever the device is called", async () => {
    const dir = await mkdtemp(join(tmpdir(), "pki-"));
    try {
      const files = await writePki(join(dir, "pki"));
      const device = await files.device("IN*ECO*BTM*01/../x");
      for (const file of [files.caFile, files.certFile, files.keyFile, device.certFile, device.keyFile]) {
        expect(join(file, "..")).toBe(join(dir, "pki"));
        expect((await stat(file)).mode & 0o777).toBe(0o600);
      }
      expect(await readFile(device.certFile, "utf8")).toBe(device.cert);
      const read = async (part: { certFile: string; keyFile: string }) => ({
        cert: await readFile(part.certFile, "utf8"),
        key: await readFile(part.keyFile, "utf8"),
      });
      await shakeHands(await readFile(files.caFile, "utf8"), await read(files), await read(device));
    } finally {
      await rm(dir, { recursive: true });
    }
  });
});
