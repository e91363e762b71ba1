import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { stringify } from "yaml";
import { type ChargerBehaviour, ChargerSimulator } from "../../simulators/charger/charger-simulator.ts";
import { Battery } from "../../simulators/world/battery.ts";
import type { StatusReport } from "../../src/api/status-report.ts";
import { askDaemon } from "../../src/cli/daemon-client.ts";
import { systemClock } from "../../src/clock.ts";
import { silentLog } from "../../src/log.ts";
import { start } from "../support/command-line.ts";
import { waitFor } from "../support/wait-for.ts";

let folder: string;
const chargers: ChargerSimulator[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "setpointd-dies-"));
});
afterEach(async () => {
  for (const charger of chargers.splice(0)) await charger[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

const HOUR_MS = 3_600_000;

/** Each with its own trouble; all are to fall back to the same 6 A. */
const TROUBLES: Readonly<Record<string, { version: "1.6" | "2.0.1"; behaviour: Partial<ChargerBehaviour> }>> = {
  "none-16": { version: "1.6", behaviour: {} },
  "none-201": { version: "2.0.1", behaviour: {} },
  "fast-16": { version: "1.6", behaviour: { clockOffsetMs: 2 * HOUR_MS } },
  "fast-201": { version: "2.0.1", behaviour: { clockOffsetMs: 2 * HOUR_MS } },
  "slow-16": { version: "1.6", behaviour: { clockOffsetMs: -2 * HOUR_MS } },
  "slow-201": { version: "2.0.1", behaviour: { clockOffsetMs: -2 * HOUR_MS } },
  "1970-16": { version: "1.6", behaviour: { clockStartsIn1970: true } },
  "1970-201": { version: "2.0.1", behaviour: { clockStartsIn1970: true } },
  "relative-only": { version: "1.6", behaviour: { rejectsKinds: ["Absolute"], clockOffsetMs: -2 * HOUR_MS } },
  "one-level": { version: "1.6", behaviour: { rejectsAboveStackLevel: 0, clockOffsetMs: 2 * HOUR_MS } },
  "default-only": { version: "2.0.1", behaviour: { rejectsPurposes: ["tx"], clockOffsetMs: -2 * HOUR_MS } },
};
const NAMES = Object.keys(TROUBLES);

async function charger(url: string, identity: string): Promise<ChargerSimulator> {
  const { version, behaviour } = TROUBLES[identity] ?? { version: "1.6", behaviour: {} };
  const one = new ChargerSimulator({
    identity,
    url,
    version,
    behaviour,
    phases: 3,
    maxA: 32,
    car: new Battery(systemClock, {
      capacityKWh: 60,
      socPercent: 30,
      maxChargeKW: 11,
      maxDischargeKW: 0,
      deadMs: 50,
      tauMs: 100,
    }),
    clock: systemClock,
    log: silentLog,
    meterIntervalMs: 500,
  });
  chargers.push(one);
  await one.start();
  return one;
}

test("a gateway that is killed leaves each charger its target until the end and the fallback after, whatever its clock says", async () => {
  const config = join(folder, "site.yaml");
  writeFileSync(
    config,
    stringify({
      api: { port: 0 },
      ocpp: { port: 0, meterIntervalS: 1 },
      market: {
        subscriberId: "site.example",
        bppId: "market.example",
        bppUri: "http://127.0.0.1:9/nobody",
        participate: false,
        requireSignature: false,
        webhook: { port: 0 },
      },
      devices: NAMES.map((identity) => ({ era: identity, kind: "charger", ocpp: { identity, fallbackKW: -4.14 } })),
    }),
  );
  const daemon = start("run", "--config", config);
  const status = () => askDaemon<StatusReport>(join(folder, "data", "setpointd.sock"), "GET", "/status");
  const isReady = () =>
    status().then(
      (report) => report.ready,
      () => false,
    );
  await waitFor("the daemon", isReady, 30_000);
  const { addresses } = await status();

  const simulated = new Map<string, ChargerSimulator>();
  for (const identity of NAMES) simulated.set(identity, await charger(addresses["ocpp"] ?? "", identity));
  // A clock that is slow is only known from the second value of the meter on.
  const clocksKnown = async () =>
    (await status()).devices.filter(({ notices }) => notices?.some((text) => text.includes("clock"))).length;
  const wrong = Object.values(TROUBLES).filter(
    ({ behaviour }) => behaviour.clockOffsetMs !== undefined || behaviour.clockStartsIn1970,
  ).length;
  await waitFor("all wrong clocks to be known", async () => (await clocksKnown()) === wrong, 30_000);

  const untilMs = Date.now() + 15_000;
  for (const era of NAMES) {
    const nowMs = Date.now();
    const response = await fetch(`${addresses["webhook"]}/on_confirm`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({
        context: {
          version: "2.0.0",
          action: "on_confirm",
          domain: "beckn.one:deg:ev-charging:*",
          timestamp: new Date(nowMs).toISOString(),
          message_id: `m-${era}`,
          transaction_id: `t-${era}`,
          bap_id: "site.example",
          bap_uri: "http://127.0.0.1/beckn",
          bpp_id: "market.example",
          bpp_uri: "http://127.0.0.1:9/nobody",
          ttl: "PT30S",
        },
        message: {
          order: {
            "beckn:id": `order-${era}`,
            "beckn:orderStatus": "CONFIRMED",
            "beckn:orderAttributes": {
              "@type": "EnergyOrder",
              clearingPrice: 0.09,
              era,
              setpointKW: -6.9,
              validFrom: new Date(nowMs).toISOString(),
              validUntil: new Date(untilMs).toISOString(),
            },
          },
        },
      }),
    });
    expect(`${response.status} ${era}`, await response.text()).toBe(`200 ${era}`);
  }
  const limits = () =>
    Object.fromEntries([...simulated].map(([identity, one]) => [identity, Math.round(one.limitA())]));
  const all = (limitA: number) => Object.fromEntries(NAMES.map((identity) => [identity, limitA]));
  const allAt = (limitA: number) => NAMES.every((identity) => limits()[identity] === limitA);
  await waitFor("every charger to follow", () => allAt(10), 12_000).catch(() => expect(limits()).toEqual(all(10)));

  daemon.child.kill("SIGKILL");
  await once(daemon.child, "exit");
  expect(Date.now()).toBeLessThan(untilMs);
  expect(limits()).toEqual(all(10));
  await waitFor("every charger to fall back", () => allAt(6), 20_000).catch(() => expect(limits()).toEqual(all(6)));
  expect(Date.now()).toBeGreaterThan(untilMs - 1_500);
  await waitFor("the cars to follow", () =>
    [...simulated.values()].every((one) => Math.abs(one.powerKW() + 4.14) < 0.1),
  );
});
