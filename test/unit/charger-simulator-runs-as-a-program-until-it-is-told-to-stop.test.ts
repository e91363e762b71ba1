import { expect, test } from "vitest";
import { runChargerSimulator } from "../../simulators/charger/index.ts";
import { systemClock } from "../../src/clock.ts";
import { silentLog } from "../../src/log.ts";
import { StrictCsms } from "../support/strict-csms.ts";
import { waitFor } from "../support/wait-for.ts";

const options = {
  identity: "CP-7",
  version: "2.0.1",
  phases: 1,
  maxA: 32,
  soc: 50,
  capacityKWh: 40,
  seed: 1,
} as const;

test("it dials in, charges, and leaves neither a timer nor a socket behind", async () => {
  await using csms = new StrictCsms();
  await csms.listen();
  const open = () => process.getActiveResourcesInfo().filter((name) => name === "Timeout" || name === "TCPSocketWrap");
  const before = open().length;
  const stop = new AbortController();
  const context = { clock: systemClock, log: silentLog, signal: stop.signal };
  const running = runChargerSimulator({ ...options, url: csms.url, ignores: true }, context);
  await waitFor("the transaction", () => csms.payloads("TransactionEvent").length > 2);
  expect(open().length).toBeGreaterThan(before);
  stop.abort();
  await running;
  await waitFor("all to be closed", () => open().length <= before, 2_000);
  expect(csms.connected).toBe(false);
  expect(csms.violations).toEqual([]);
});

test("it runs without a CSMS too, and stops in the middle of its tries", async () => {
  const stop = new AbortController();
  const context = { clock: systemClock, log: silentLog, signal: stop.signal };
  const running = runChargerSimulator({ ...options, url: "ws://127.0.0.1:1/ocpp" }, context);
  await systemClock.sleep(100);
  stop.abort();
  await running;
});

test("it does not even begin when the signal has aborted", async () => {
  await using csms = new StrictCsms();
  await csms.listen();
  const context = { clock: systemClock, log: silentLog, signal: AbortSignal.abort() };
  await runChargerSimulator({ ...options, url: csms.url }, context);
  expect(csms.seen).toEqual([]);
});
