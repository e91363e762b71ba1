import { spawnSync } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { chmod, mkdtemp, readdir, readFile, rm, stat } from "node:fs/promises";
import { get } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ieee2030_5 } from "../../adapters/ieee2030-5/index.ts";
import { readKeyPem } from "../../adapters/ieee2030-5/server/tls-files.ts";
import { systemClock } from "../../src/clock.ts";
import { type Log, silentLog } from "../../src/log.ts";
import { run } from "../support/command-line.ts";
import { volatileMemory } from "../support/volatile-memory.ts";

const hasOpenssl = spawnSync("openssl", ["version"]).status === 0;

let folder: string;
let dir: string;
const pki = (...args: string[]) => run("2030.5", "pki", ...args, "--dir", dir);
const file = (name: string) => join(dir, name);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "pki-"));
  dir = join(folder, "pki");
});

afterAll(() => rm(folder, { recursive: true }));

test("a device cannot be made before there is an authority", async () => {
  const ended = await pki("device", "inverter-1");
  expect(ended).toMatchObject({ code: 8, stdout: "" });
  expect(ended.stderr).toContain("setpointd 2030.5 pki init");
});

describe("an authority, a server and a device", () => {
  const said: string[] = [];

  beforeAll(async () => {
    const init = await pki("init", "--host", "gateway.lan,192.0.2.10");
    const device = await pki("device", "barn/inverter 1", "--json");
    const csr = await pki("csr", "gateway-17");
    expect([init.code, device.code, csr.code], init.stderr + device.stderr + csr.stderr).toEqual([0, 0, 0]);
    said.push(...[init, device, csr].flatMap(({ stdout, stderr }) => [stdout, stderr]));
  }, 60_000);

  test("each key is a file for its owner alone, and none is ever printed", async () => {
    const keys = (await readdir(dir)).filter((name) => name.endsWith(".key"));
    expect(keys.toSorted()).toEqual(["ca.key", "device-barn%2Finverter%201.key", "gateway-17.key", "server.key"]);
    for (const name of keys) {
      expect((await stat(file(name))).mode & 0o777, name).toBe(0o600);
      const [, secret = "?"] = (await readFile(file(name), "utf8")).split("\n");
      for (const text of said) expect(text).not.toContain(secret);
    }
    expect((await stat(dir)).mode & 0o777).toBe(0o700);
  });

  test("the device is let in by a gateway that is configured with what was printed", async () => {
    const { lfdi, certFile, keyFile } = JSON.parse(said[2] ?? "") as Record<string, string>;
    await using host = ieee2030_5.createHost(
      ieee2030_5.sharedSchema.parse({
        port: 0,
        certFile: file("server.crt"),
        keyFile: file("server.key"),
        caFile: file("ca.crt"),
      }),
      { clock: systemClock, log: silentLog, random: () => 0.5, memory: volatileMemory() },
    );
    host.adapter({ era: "barn", kind: "solar" }, ieee2030_5.deviceSchema.parse({ lfdi }));
    await host.start(AbortSignal.timeout(10_000));
    const [cert, key, ca] = await Promise.all([
      readFile(certFile ?? ""),
      readFile(keyFile ?? ""),
      readFile(file("ca.crt")),
    ]);
    const status = await new Promise((resolve, reject) => {
      const options = {
        cert,
        key,
        ca,
        agent: false,
        ciphers: "ECDHE-ECDSA-AES128-CCM8:@SECLEVEL=0",
        maxVersion: "TLSv1.2",
      };
      get(host.addresses()["ieee2030_5"] ?? "", options as object, (response) => {
        response.resume();
        resolve(response.statusCode);
      }).on("error", reject);
    });
    expect(status).toBe(200);
  });

  test("a key that others may read is warned of, by its file and never by its text", async () => {
    const warnings: string[] = [];
    const log = {
      ...silentLog,
      warn: (message: string, facts: object) => warnings.push(`${message} ${JSON.stringify(facts)}`),
    };
    await chmod(file("server.key"), 0o640);
    const text = await readKeyPem("ieee2030_5.keyFile", file("server.key"), log as unknown as Log);
    await chmod(file("server.key"), 0o600);
    await readKeyPem("ieee2030_5.keyFile", file("server.key"), log as unknown as Log);
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toContain("server.key");
    expect(warnings[0]).not.toContain(text.split("\n")[1]);
  });

  test("the server has the names that were given, and holds for ever unless told otherwise", async () => {
    const server = new X509Certificate(await readFile(file("server.crt")));
    expect(server.checkHost("gateway.lan")).toBe("gateway.lan");
    expect(server.checkIP("192.0.2.10")).toBe("192.0.2.10");
    expect(new Date(server.validTo).getUTCFullYear()).toBe(9999);
    const short = await pki("device", "short", "--days", "10");
    expect(short.code).toBe(0);
    const days =
      (Date.parse(new X509Certificate(await readFile(file("device-short.crt"))).validTo) - Date.now()) / 864e5;
    expect(Math.round(days)).toBe(10);
    const ended = await pki("device", "ended", "--days", "0");
    expect(ended.code).toBe(0);
    const { validFrom, validTo } = new X509Certificate(await readFile(file("device-ended.crt")));
    expect(Date.parse(validTo)).toBeLessThanOrEqual(Date.now());
    expect(Date.parse(validFrom)).toBeLessThan(Date.parse(validTo));
  });

  test.skipIf(!hasOpenssl)("openssl finds the request and the chain in order (skipped without openssl)", () => {
    const request = spawnSync("openssl", ["req", "-in", file("gateway-17.csr"), "-noout", "-verify", "-text"]);
    expect(request.status, String(request.stderr)).toBe(0);
    expect(String(request.stdout)).toMatch(/Key Usage: critical\s+Digital Signature, Key Agreement/);
    const device = file("device-barn%2Finverter%201.crt");
    const chain = spawnSync("openssl", [
      "verify",
      "-x509_strict",
      "-CAfile",
      file("ca.crt"),
      device,
      file("server.crt"),
    ]);
    expect(chain.status, String(chain.stderr)).toBe(0);
  });

  test("lfdi says who a certificate makes its owner, of PEM and of DER, and what is no certificate", async () => {
    const { lfdi, sfdi, certFile = "" } = JSON.parse(said[2] ?? "") as Record<string, string>;
    const [text, key] = await Promise.all([run("2030.5", "lfdi", certFile), run("2030.5", "lfdi", file("ca.key"))]);
    expect(text.stdout).toBe(`LFDI ${lfdi}\nSFDI ${sfdi}\n`);
    expect(key).toMatchObject({ code: 2, stdout: "" });
    expect(key.stderr).toContain("holds no certificate");
    const { fingerprint256 } = new X509Certificate(await readFile(certFile));
    expect(lfdi).toBe(fingerprint256.replaceAll(":", "").slice(0, 40));
  });

  test("nothing that is there is replaced", async () => {
    const before = await readFile(file("server.key"), "utf8");
    const again = await pki("init");
    expect(again).toMatchObject({ code: 2, stdout: "" });
    expect(again.stderr).toContain("is there already");
    expect(await readFile(file("server.key"), "utf8")).toBe(before);
  });
});

test("a wrong name, number or OID is said before anything is written", async () => {
  dir = join(folder, "wrong");
  const [host, days, oid] = await Promise.all([
    pki("init", "--host", "gateway.lan,no name"),
    pki("init", "--days", "0"),
    pki("csr", "x", "--hardware-type", "1.2.x"),
  ]);
  expect(host.stderr).toContain('"no name"');
  expect(days.stderr).toContain("--days");
  expect(oid.stderr).toContain("expected an OID");
  for (const ended of [host, days, oid]) expect(ended.code).toBe(2);
  await expect(readdir(dir)).rejects.toThrow("ENOENT");
});
