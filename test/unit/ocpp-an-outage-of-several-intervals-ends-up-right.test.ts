import { generateKeyPairSync } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { BidKeeper } from "../../src/bid-keeper.ts";
import { type Clock, systemClock } from "../../src/clock.ts";
import { silentLog } from "../../src/log.ts";
import { IntervalLog } from "../../src/meter/interval-log.ts";
import { IntervalRecorder } from "../../src/meter/interval-recorder.ts";
import type { IntervalBody } from "../../src/meter/log-record.ts";
import type { Reading } from "../../src/model/reading.ts";
import { SqliteStore } from "../../src/store/sqlite-store.ts";
import { waitFor } from "../support/wait-for.ts";
import { BOOT_16, dialIn, type Gateway, openGateway, type RawCharger, WILLING } from "./ocpp-raw-charger.ts";

const MINUTE = 60_000;
const INTERVAL = 15 * MINUTE;
const START = Date.UTC(2026, 5, 15, 12);

/** Runs as fast as the system's, and is set forward by hand. */
class ForwardClock implements Clock {
  #aheadMs = 0;
  readonly #wallMs = START - Date.now();
  now = () => Date.now() + this.#wallMs + this.#aheadMs;
  elapsedMs = () => systemClock.elapsedMs() + this.#aheadMs;
  sleep = systemClock.sleep;
  /** So that it is this many minutes after the start, and a little. */
  goTo(minute: number): void {
    this.#aheadMs += START + minute * MINUTE - this.now();
  }
}

const at = (minute: number) => new Date(START + minute * MINUTE).toISOString();

/** 6 kW, so 100 Wh a minute. */
function meterValues(minute: number, powerW = 6000) {
  const sampledValue = [
    { value: String(50_000 + minute * 100), measurand: "Energy.Active.Import.Register", unit: "Wh" },
    { value: String(powerW), measurand: "Power.Active.Import", unit: "W" },
  ];
  return { connectorId: 1, meterValue: [{ timestamp: at(minute), sampledValue }] };
}

let folder: string;
let clock: ForwardClock;
let gateway: Gateway;
let log: IntervalLog;
let recorder: IntervalRecorder;
let bodies: IntervalBody[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "outage-"));
  clock = new ForwardClock();
  gateway = await openGateway({ clock });
  log = await IntervalLog.open({ folder, privateKey: generateKeyPairSync("ed25519").privateKey, clock });
  bodies = [];
  const sink = {
    lastOf: (era: string) => log.lastOf(era),
    append: async (written: readonly IntervalBody[]) => {
      await log.append(written);
      bodies.push(...written);
    },
  };
  recorder = new IntervalRecorder({
    sink,
    clock,
    log: silentLog,
    intervalMs: INTERVAL,
    maxInterpolationMs: 2 * MINUTE,
  });
});

afterEach(async () => {
  await gateway[Symbol.asyncDispose]();
  await log[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

let counted = 0;
const readings = (): Reading[] => gateway.reports.flatMap((one) => (one.kind === "reading" ? [one.reading] : []));

/** Hands on what has come since, as the gateway does. */
async function count(until: number): Promise<void> {
  await waitFor(`${until} readings`, () => readings().length >= until);
  for (const reading of readings().slice(counted)) recorder.reading(reading);
  counted = readings().length;
}

async function connect(): Promise<RawCharger> {
  const charger = await dialIn(gateway.url, { answers: WILLING });
  await charger.call("BootNotification", BOOT_16);
  await charger.call("StatusNotification", { connectorId: 1, errorCode: "NoError", status: "Charging" });
  return charger;
}

const brief = () =>
  bodies.map(({ start, end, importWh, quality }) => [
    (Date.parse(start) - START) / MINUTE,
    (Date.parse(end) - START) / MINUTE,
    importWh,
    quality,
  ]);

async function liveUntilTheOutage(): Promise<void> {
  counted = 0;
  const charger = await connect();
  for (let minute = 0; minute <= 5; minute++) {
    clock.goTo(minute);
    await charger.call("MeterValues", meterValues(minute));
  }
  await charger.hangUp();
  await count(6);
}

test("what the charger kept is booked in the intervals in which it flowed, and drives nothing that is now", async () => {
  await liveUntilTheOutage();
  clock.goTo(62);
  const again = await connect();
  // Live again with another power, before the queue is through.
  await again.call("MeterValues", meterValues(62, 3000));
  for (let minute = 6; minute <= 61; minute++) await again.call("MeterValues", meterValues(minute));
  await count(6 + 1 + 56);
  expect(brief()).toEqual([]);
  clock.goTo(65);
  await again.call("MeterValues", meterValues(65, 3000));
  await count(6 + 1 + 56 + 1);
  await waitFor("the intervals to be written", () => bodies.length >= 4);
  await again.hangUp();

  expect(brief()).toEqual([
    [0, 15, 1500, "MEASURED"],
    [15, 30, 1500, "MEASURED"],
    [30, 45, 1500, "MEASURED"],
    [45, 60, 1500, "MEASURED"],
  ]);
  const kept = readings().slice(7, 63);
  expect(kept.every((reading) => reading.replayed === true)).toBe(true);
  expect(kept.map((reading) => reading.deviceTimeMs)).toEqual(
    Array.from({ length: 56 }, (_, index) => START + (6 + index) * MINUTE),
  );
  // What is now is what was live last.
  expect(
    readings()
      .filter((reading) => !reading.replayed)
      .at(-1)?.powerKW,
  ).toBe(-3);

  // The store and the market have them at their own time, too.
  const store = await SqliteStore.open(join(folder, "store"));
  await store.storeReadings(readings());
  const stored = (await store.recentReadings("charger-1", 60)).map((reading) => reading.deviceTimeMs ?? 0);
  expect(stored).toEqual([...stored].sort((a, b) => a - b));
  await store[Symbol.asyncDispose]();
  expect(await toldToTheMarket()).toEqual([...Array.from({ length: 58 }, (_, index) => 4 + index), 62, 65]);
}, 20_000);

/** The minutes of the readings that one message to the market carries. */
async function toldToTheMarket(): Promise<number[]> {
  let told: readonly Reading[] = [];
  const stop = new AbortController();
  const keeper = new BidKeeper({
    market: { currency: "EUR", interval: INTERVAL, participate: false, telemetryInterval: 1 } as never,
    participant: {
      bid: async () => {},
      needsBid: () => false,
      telemetry: async (report) => {
        told = report.readings;
        return true;
      },
    },
    clock: systemClock,
    log: silentLog,
    goals: [],
    saveGoal: () => {},
    devices: [
      {
        config: { era: "charger-1", kind: "charger" } as never,
        lane: { capability: undefined, measuredKW: undefined, snapshot: () => ({}) as never },
      },
    ],
  });
  for (const reading of readings()) keeper.addReading(reading);
  const running = keeper.run(stop.signal).catch(() => {});
  await waitFor("the telemetry", () => told.length > 0);
  stop.abort();
  await running;
  return told.map((reading) => Math.floor(((reading.deviceTimeMs ?? 0) - START) / MINUTE));
}

test("what the charger did not keep is a gap, marked, with the energy that flowed in all", async () => {
  await liveUntilTheOutage();
  clock.goTo(62);
  const again = await connect();
  await again.call("MeterValues", meterValues(62));
  await count(7);
  clock.goTo(65);
  await again.call("MeterValues", meterValues(65));
  await count(8);
  await waitFor("the intervals to be written", () => bodies.length >= 2);
  await again.hangUp();
  expect(brief()).toEqual([
    [0, 5, 500, "MEASURED"],
    [5, 62, 5700, "GAP"],
  ]);
});
