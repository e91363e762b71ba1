import { generateKeyPairSync } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { run, start } from "../support/command-line.ts";
import { waitFor } from "../support/wait-for.ts";

let folder: string;
let config: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "setpointd-cli-"));
  config = join(folder, "site.yaml");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === "object" && address !== null ? address.port : 0;
}

describe("without a daemon", () => {
  test("a broken config is explained on stderr, stdout stays empty, and the exit code is 2", async () => {
    writeFileSync(config, "devices:\n  - era: a b\n    kind: charger\n    ocpp: { identity: X }\n");
    const ended = await run("config", "check", config);
    expect(ended).toMatchObject({ code: 2, stdout: "" });
    expect(ended.stderr).toMatch(/site\.yaml:2:10 {2}devices\[0\]\.era: must be an Energy Resource Address/);
    const asJson = await run("config", "check", config, "--json");
    expect(JSON.parse(asJson.stdout)).toMatchObject({ schemaVersion: 1, valid: false, faults: [{ line: 2 }] });
    expect(asJson.code).toBe(2);
  });

  test("status says that the daemon does not answer, and what to do, with exit code 3", async () => {
    writeFileSync(config, "devices: []\n");
    const ended = await run("status", "--config", config);
    expect(ended).toMatchObject({ code: 3, stdout: "" });
    expect(ended.stderr).toContain("setpointd run --config");
  });

  test("a typing error gets a suggestion and exit code 2, help and version get 0", async () => {
    const [typo, help, version] = await Promise.all([run("statsu"), run("demo", "--help"), run("--version")]);
    expect(typo.code).toBe(2);
    expect(typo.stderr).toContain("Did you mean status?");
    expect(help.code).toBe(0);
    expect(help.stdout).toContain("setpointd demo --for 60 --json");
    expect(version.stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });
});

test("run, status, devices, market send, device test, and a stop within five seconds", async () => {
  const [webhook, ocpp, sim] = [await freePort(), await freePort(), await freePort()];
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  const key = join(folder, "market.key");
  writeFileSync(key, privateKey.export({ format: "der", type: "pkcs8" }).subarray(-32).toString("base64"));
  const pinned = publicKey.export({ format: "der", type: "spki" }).subarray(-32).toString("base64");
  writeFileSync(
    config,
    `
api: { port: 0 }
market:
  subscriberId: site.example
  bppId: market.example
  bppUri: http://127.0.0.1:9/nobody
  participate: false
  requireSignature: true
  webhook: { port: ${webhook} }
  trustedKeys: [{ subscriberId: market.example, keyId: key-1, publicKey: "${pinned}" }]
ocpp: { port: ${ocpp} }
devices:
  - { era: roof, name: Roof, kind: solar, modbus: { host: 127.0.0.1, port: ${sim}, pollMs: 200, settleS: 2 } }
  - { era: absent, kind: charger, ocpp: { identity: ABSENT } }
`,
  );
  const inverter = start("sim", "inverter", "--port", String(sim), "--rating", "5");
  const daemon = start("run", "--config", config);
  try {
    type Status = {
      ready: boolean;
      devices: { era: string; linkUp: boolean; measuredKW?: number; verdict?: string }[];
    };
    const status = async (): Promise<Status | undefined> => {
      const ended = await run("status", "--config", config, "--json");
      return ended.code === 0 ? (JSON.parse(ended.stdout) as Status) : undefined;
    };
    await waitFor(
      "the roof to be measured",
      async () => (await status())?.devices[0]?.measuredKW !== undefined,
      40_000,
    );

    const second = await run("run", "--config", config);
    expect(second.code).toBe(1);
    expect(second.stderr).toMatch(/control\.db is in use: another setpointd runs on this folder/);

    const devices = await run("devices", "--config", config);
    expect(devices.code).toBe(0);
    expect(devices.stdout).toMatch(/roof +solar +sunspec +up/);

    const message = join(folder, "on-confirm.json");
    const nowMs = Date.now();
    writeFileSync(
      message,
      JSON.stringify({
        context: {
          action: "on_confirm",
          message_id: "m1",
          transaction_id: "t1",
          bap_id: "site.example",
          bap_uri: "http://127.0.0.1",
          bpp_id: "market.example",
          bpp_uri: "http://127.0.0.1",
          timestamp: new Date(nowMs).toISOString(),
          ttl: "PT5M",
        },
        message: { order: { orderAttributes: { era: "roof", setpointKW: 1.5, clearingPrice: 0.09 } } },
      }),
    );
    const unsigned = await run("market", "send", message, "--config", config);
    expect(unsigned).toMatchObject({ code: 1, stdout: expect.stringContaining("SIGNATURE_MISSING") });
    const keyless = await run("market", "send", message, "--config", config, "--key", "nowhere.key");
    expect(keyless).toMatchObject({ code: 2, stderr: expect.stringContaining("nowhere.key can't be read") });
    const sent = await run("market", "send", message, "--config", config, "--key", key);
    expect(sent).toMatchObject({ code: 0, stdout: expect.stringContaining('"ACK"') });
    await waitFor("the verdict", async () => (await status())?.devices[0]?.verdict === "effective", 40_000);

    const tested = await run("device", "test", "Roof", "--config", config, "--power", "2.5", "--for", "20", "--json");
    expect(tested.code).toBe(0);
    expect(JSON.parse(tested.stdout)).toMatchObject({ passed: true, verdict: "effective" });
    const turned = await run("device", "test", "roof", "--config", config, "--power", "-2.5");
    expect(turned.code).toBe(2);
    expect(turned.stdout).toContain("-2.5 kW is consumption (negative), and roof can only generate");
    const absent = await run("device", "test", "absent", "--config", config);
    expect(absent.code).toBe(5);
    expect(absent.stdout).toMatch(/link .*FAIL/);
    expect((await run("device", "test", "nobody", "--config", config)).code).toBe(8);
  } finally {
    daemon.child.kill("SIGTERM");
    const ended = await daemon.ended;
    // A stop that takes longer than 4.5 s ends itself with 1.
    expect(ended.code).toBe(0);
    expect(ended.stdout).toBe("");
    expect(JSON.parse(ended.stderr.trim().split("\n").at(-1) ?? "")).toMatchObject({ msg: "stopped" });
    inverter.child.kill("SIGTERM");
    await inverter.ended;
  }
}, 120_000);

test("the demo runs from the command line and its report is one JSON object that adds up", async () => {
  const ended = await run("demo", "--for", "24", "--interval", "8", "--json");
  expect(ended.stderr).toBe("");
  expect(ended.code).toBe(0);
  const report = JSON.parse(ended.stdout);
  expect(report.schemaVersion).toBe(1);
  const protocols = report.devices.map((device: { protocol: string }) => device.protocol);
  expect(new Set(protocols)).toEqual(new Set(["ocpp1.6", "ocpp2.0.1", "ieee2030.5", "sunspec"]));
  expect(report.market.nacked).toBe(0);
  expect(report.market.acked).toBeGreaterThan(0);
  for (const device of report.devices) {
    expect(device.readings, device.era).toBeGreaterThan(0);
    expect(device.bidCurves, device.era).toBeGreaterThan(0);
    const judged = Object.values<number>(device.verdicts).reduce((sum, count) => sum + count, 0);
    expect(judged).toBeLessThanOrEqual(device.setpoints);
    if (device.era === "old-wallbox") expect(device.verdicts.ignored).toBeGreaterThan(0);
    else expect(device.verdicts.effective + device.verdicts.partial, device.era).toBeGreaterThan(0);
  }
}, 90_000);
