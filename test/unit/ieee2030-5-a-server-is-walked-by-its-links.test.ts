import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type PkiFiles, writePki } from "../../simulators/pki.ts";
import { run } from "../support/command-line.ts";

const NS = 'xmlns="urn:ieee:std:2030.5:ns"';

/** Addresses that nobody could guess, a list in pages, a circle, a way out, and a resource that is broken. */
const RESOURCES: Readonly<Record<string, string>> = {
  "/start": `<DeviceCapability ${NS} href="/start" pollRate="300"><TimeLink href="/zeit"/><EndDeviceListLink href="e_0" all="3"/><MirrorUsagePointListLink href="https://192.0.2.9/mup"/></DeviceCapability>`,
  "/zeit": `<Time ${NS} href="/zeit"><currentTime>1795473000</currentTime><quality>4</quality></Time>`,
  "/d/2/fsa": "<FunctionSetAssignmentsList",
};
const asked: string[] = [];
let server: Server;
let base: string;
let folder: string;
let files: PkiFiles;
let device: { certFile: string; keyFile: string };
let serverLfdi: string;

/** One end device a page, whatever is asked for. */
function endDevices(first: number): string {
  const link = first === 1 ? '<FunctionSetAssignmentsListLink href="/d/2/fsa"/>' : '<RegistrationLink href="/start"/>';
  const item = `<EndDevice href="/d/${first + 1}"><sFDI>16726121139${first}</sFDI><x><y>${first}</y></x>${link}</EndDevice>`;
  return `<EndDeviceList ${NS} href="/e_0" all="3" results="1" pollRate="60">${first < 3 ? item : ""}</EndDeviceList>`;
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "walk-"));
  // A certificate without the address under which the server is asked, as many have it.
  files = await writePki(folder);
  device = await files.device("gateway");
  const other = await files.device("utility-server");
  serverLfdi = new X509Certificate(other.cert).fingerprint256.replaceAll(":", "").slice(0, 40);
  const tls = { cert: other.cert, key: other.key, requestCert: true, maxVersion: "TLSv1.2" } as const;
  server = createServer(
    { ...tls, ca: [await readCa()], ciphers: "ECDHE-ECDSA-AES128-CCM8:@SECLEVEL=0" },
    (request, response) => {
      const url = new URL(request.url ?? "/", "https://localhost");
      asked.push(`${request.url}`);
      const body =
        url.pathname === "/e_0" ? endDevices(Number(url.searchParams.get("s") ?? 0)) : RESOURCES[url.pathname];
      response.writeHead(body === undefined ? 404 : 200, { "content-type": "application/sep+xml" }).end(body);
    },
  );
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  base = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterAll(async () => {
  server.closeAllConnections();
  server.close();
  await rm(folder, { recursive: true });
});

async function readCa(): Promise<string> {
  const { readFile } = await import("node:fs/promises");
  return await readFile(files.caFile, "utf8");
}

const walk = (...more: string[]) =>
  run(
    "2030.5",
    "walk",
    `${base}/start`,
    "--cert",
    device.certFile,
    "--key",
    device.keyFile,
    "--ca",
    files.caFile,
    ...more,
  );

test("every link is followed once, lists to their end, and none to another server", async () => {
  const { code, stdout, stderr } = await walk("--server-lfdi", serverLfdi);
  expect(stderr).toBe("");
  expect(code).toBe(0);
  const lines = stdout.trimEnd().split("\n");
  expect(lines).toEqual([
    "DeviceCapability /start (pollRate=300)",
    "  Time /zeit (currentTime 1795473000, quality 4)",
    "  EndDeviceList /e_0 (all=3 pollRate=60)",
    "    EndDevice /d/1 (sFDI 167261211390, x.y 0)",
    "    EndDevice /d/2 (sFDI 167261211391, x.y 1)",
    expect.stringMatching(/^ {6}\/d\/2\/fsa\?s=0&l=255: application\/sep\+xml: not well-formed/),
    "    EndDevice /d/3 (sFDI 167261211392, x.y 2)",
    "  https://192.0.2.9/mup: not on this server; not followed",
  ]);
  expect(asked).toHaveLength(new Set(asked).size);
});

test("the JSON has all that was read, and says when it was cut", async () => {
  const { stdout } = await walk("--server-lfdi", serverLfdi, "--json", "--max", "2");
  const json = JSON.parse(stdout) as { cut: boolean; nodes: object[] };
  expect(json.cut).toBe(true);
  expect(json.nodes[1]).toMatchObject({ name: "Time", values: { currentTime: "1795473000" } });
});

test("a server that is another one is told nothing", async () => {
  asked.length = 0;
  const [byName, byLfdi] = await Promise.all([
    walk(),
    walk("--server-lfdi", serverLfdi.replace(/^./, "0").replace(/.$/, "1")),
  ]);
  expect(byName.code).toBe(5);
  expect(byLfdi.code).toBe(5);
  expect(byLfdi.stdout).toContain(`the server's LFDI is ${serverLfdi}`);
  expect(asked).toEqual([]);
});

test("a missing file and a wrong address are wrong use", async () => {
  const [noKey, http] = await Promise.all([
    run("2030.5", "walk", `${base}/start`, "--cert", device.certFile, "--ca", files.caFile),
    run("2030.5", "walk", "http://127.0.0.1/dcap"),
  ]);
  expect(noKey).toMatchObject({ code: 2, stdout: "" });
  expect(noKey.stderr).toContain("--key is missing");
  expect(http.stderr).toContain("no https address");
});
