import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { stringify } from "yaml";
import { ModbusLink } from "../../adapters/modbus/link/modbus-link.ts";
import { InverterSimulator } from "../../simulators/inverter/inverter-simulator.ts";
import { createRng } from "../../simulators/world/rng.ts";
import { SolarPanel } from "../../simulators/world/solar-panel.ts";
import { Sun } from "../../simulators/world/sun.ts";
import type { StatusReport } from "../../src/api/status-report.ts";
import { askDaemon } from "../../src/cli/daemon-client.ts";
import { systemClock as clock } from "../../src/clock.ts";
import { silentLog as log } from "../../src/log.ts";
import { run, start } from "../support/command-line.ts";
import { waitFor } from "../support/wait-for.ts";

const never = new AbortController().signal;
const open: AsyncDisposable[] = [];
let folder: string;
afterEach(async () => {
  for (const each of open.splice(0).reverse()) await each[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

/** Model 123 of the legacy map, behind 1, 103, 120, 121 and 122. */
const M123 = 40_002 + 68 + 52 + 28 + 32 + 46;

function onConfirm(setpointKW: number, untilMs: number) {
  const nowMs = Date.now();
  return {
    context: {
      version: "2.0.0",
      action: "on_confirm",
      domain: "beckn.one:deg:ev-charging:*",
      timestamp: new Date(nowMs).toISOString(),
      message_id: "m1",
      transaction_id: "t1",
      bap_id: "site.example",
      bap_uri: "http://127.0.0.1/beckn",
      bpp_id: "market.example",
      bpp_uri: "http://127.0.0.1:9/nobody",
      ttl: "PT30S",
    },
    message: {
      order: {
        "beckn:id": "order-1",
        "beckn:orderStatus": "CONFIRMED",
        "beckn:orderAttributes": {
          "@type": "EnergyOrder",
          clearingPrice: 0.09,
          era: "roof",
          setpointKW,
          validFrom: new Date(nowMs).toISOString(),
          validUntil: new Date(untilMs).toISOString(),
        },
      },
    },
  };
}

test("one without a reversion timer keeps the dead gateway's limit, and gets the installer's back when it lives again", async () => {
  folder = mkdtempSync(join(tmpdir(), "setpointd-killed-"));
  const source = new SolarPanel(clock, new Sun(clock, createRng(7), { startHour: 12 }), {
    ratingKW: 10,
    deadMs: 50,
    tauMs: 100,
  });
  const inverter = new InverterSimulator({ kind: "solar", source, map: "legacy", clock, log, reversion: false });
  open.push(inverter);
  const at = await inverter.listen();
  const link = new ModbusLink(at, { clock, log, random: () => 0 });
  open.push(link);
  const manners = { unit: 1, timeoutMs: 5000, gapMs: 0 };
  // The installer allows 70 %.
  await link.write(manners, M123 + 5, [7000], { mayTear: true }, never);
  await link.write(manners, M123 + 9, [1], { mayTear: true }, never);
  const limit = async () => (await link.read(manners, M123 + 5, 5, never)).filter((_, i) => i === 0 || i === 4);

  const config = join(folder, "site.yaml");
  const market = { subscriberId: "site.example", bppId: "market.example", bppUri: "http://127.0.0.1:9/nobody" };
  writeFileSync(
    config,
    stringify({
      api: { port: 0 },
      market: { ...market, participate: false, requireSignature: false, webhook: { port: 0 } },
      devices: [{ era: "roof", kind: "solar", modbus: { ...at, pollMs: 200, settleS: 1 } }],
    }),
  );
  const status = () => askDaemon<StatusReport>(join(folder, "data", "setpointd.sock"), "GET", "/status");
  const isUp = () =>
    status().then(
      ({ devices: [roof] }) => roof?.measuredKW !== undefined,
      () => false,
    );

  const first = start("run", "--config", config);
  await waitFor("the roof to be measured", isUp, 60_000);
  const untilMs = Date.now() + 6000;
  const url = (await status()).addresses["webhook"];
  const answer = await fetch(`${url}/on_confirm`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(onConfirm(2, untilMs)),
  });
  expect(answer.status).toBe(200);
  await waitFor("the roof to follow", () => inverter.powerKW() < 2.2);
  const devices = await run("devices", "--config", config);
  expect(devices.stdout).toMatch(/roof: failsafe gateway-only: .*only a running gateway restores the baseline/);
  first.child.kill("SIGKILL");
  await once(first.child, "exit");

  await waitFor("the setpoint to end", () => Date.now() > untilMs + 1500);
  expect(await limit()).toEqual([2000, 1]);

  const second = start("run", "--config", config);
  try {
    await waitFor("the installer's limit", async () => (await limit())[0] === 7000, 60_000);
    expect(await limit()).toEqual([7000, 1]);
  } finally {
    second.child.kill("SIGTERM");
    await second.ended;
  }
}, 180_000);
