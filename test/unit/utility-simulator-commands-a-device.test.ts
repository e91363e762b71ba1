import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { DerSimulator } from "../../simulators/der/der-simulator.ts";
import { lfdiOf } from "../../simulators/der/identity.ts";
import { createPki, type Pki } from "../../simulators/pki.ts";
import { runUtilitySimulator } from "../../simulators/utility/run-utility-simulator.ts";
import { Battery } from "../../simulators/world/battery.ts";
import { systemClock } from "../../src/clock.ts";
import { fastClock } from "../../src/fast-clock.ts";
import { silentLog } from "../../src/log.ts";
import { waitFor } from "../support/wait-for.ts";

let dir: string;
let pki: Pki;
let stop: AbortController;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "utility-"));
  pki = await createPki();
  stop = new AbortController();
});
afterEach(() => rm(dir, { recursive: true }));

test("a battery obeys a program from a file: event, cancellation, outage, default", async () => {
  // A minute of the program in three seconds.
  const clock = fastClock(systemClock, 20, systemClock.now());
  const server = await pki.issue("server", "utility");
  const device = await pki.issue("device", "battery-1");
  const files = {
    programFile: join(dir, "p"),
    certFile: join(dir, "c"),
    keyFile: join(dir, "k"),
    caFile: join(dir, "a"),
  };
  await writeFile(files.certFile, server.cert);
  await writeFile(files.keyFile, server.key);
  await writeFile(files.caFile, pki.ca);
  await writeFile(
    files.programFile,
    `
registration: out-of-band
devices: [{ lfdi: ${lfdiOf(device.cert)}, pin: 123455 }]
pollRateS: 1
postRateS: 2
programs:
  - primacy: 1
    default: { opModMaxLimW: 20, setGradW: 27 }
    events:
      - { startAfterS: 20, durationS: 400, opModTargetW: 3000, cancelAfterS: 60 }
      - { startAfterS: 100, durationS: 20, noticeS: 30, opModTargetW: -2000 }
outages: [{ startAfterS: 130, durationS: 30 }]
`,
  );
  const events: Record<string, unknown>[] = [];
  let url = "";
  const running = runUtilitySimulator(
    { ...files, host: "127.0.0.1", port: 0 },
    {
      clock,
      log: silentLog,
      signal: stop.signal,
      onListening: (where) => {
        url = where;
      },
      onEvent: (event) => events.push(event),
    },
  );
  await waitFor("the server", () => url !== "");
  const source = new Battery(clock, { capacityKWh: 20, socPercent: 50, maxChargeKW: 5, maxDischargeKW: 5 });
  await using battery = new DerSimulator({
    url,
    ...device,
    ca: pki.ca,
    source,
    ratingKW: 5,
    pin: 123_455,
    clock,
    log: silentLog,
    requestMs: 60_000,
  });
  await battery.start();

  await waitFor("3 kW of discharge", () => battery.powerKW() > 2.9);
  await waitFor("the cancelled event to end", () => battery.powerKW() < 0.1);
  await waitFor("2 kW of charging", () => battery.powerKW() < -1.9);
  await waitFor("the outage", () => events.some(({ status }) => status === 500));
  await waitFor("the battery to be idle after the event", () => Math.abs(battery.powerKW()) < 0.1);
  await waitFor("the server to be back", () => events.at(-1)?.["status"] === 200);

  const told = events.filter(({ response }) => response !== undefined);
  expect(told.map(({ response, status }) => [response, status])).toEqual([
    [1, 201],
    [2, 201],
    [6, 201],
    [1, 201],
    [2, 201],
    [3, 201],
  ]);
  // Nothing that the device sent was against the schema.
  expect(events.filter(({ status }) => status !== 200 && Number(status) >= 400 && status !== 500)).toEqual([]);
  expect(events.some(({ path, method }) => method === "PUT" && path === "/edev/1/der/1/derg")).toBe(true);
  stop.abort();
  await running;
});

test("a mistyped program file is explained with its field", async () => {
  const file = join(dir, "wrong.yaml");
  await writeFile(file, "programs:\n  - primacy: 1\n    events: [{ startAfterS: 1, durationS: 0, opModExplimW: 5 }]\n");
  const files = { programFile: file, certFile: file, keyFile: file, caFile: file };
  const context = { clock: systemClock, log: silentLog, signal: stop.signal, onListening: () => {}, onEvent: () => {} };
  await expect(runUtilitySimulator({ ...files, host: "127.0.0.1", port: 0 }, context)).rejects.toThrow(
    /wrong\.yaml.*[\s\S]*(durationS|opModExplimW)/,
  );
});
