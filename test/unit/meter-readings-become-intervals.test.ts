import { beforeEach, describe, expect, test } from "vitest";
import { silentLog } from "../../src/log.ts";
import { IntervalRecorder, type IntervalSink } from "../../src/meter/interval-recorder.ts";
import type { IntervalBody } from "../../src/meter/log-record.ts";
import type { Reading } from "../../src/model/reading.ts";
import type { Setpoint } from "../../src/model/setpoint.ts";
import type { RegisterPoint } from "../../src/settlement/interval-energy.ts";
import { HandClock, settle } from "../support/hand-clock.ts";

const MINUTE = 60_000;
const START = Date.UTC(2026, 5, 15, 12);

/** A log in memory that can be told to fail. */
class MemorySink implements IntervalSink {
  readonly records: IntervalBody[] = [];
  readonly lasts = new Map<string, RegisterPoint>();
  failWith: Error | undefined;

  lastOf(era: string): RegisterPoint | undefined {
    return this.lasts.get(era);
  }

  async append(bodies: readonly IntervalBody[]): Promise<void> {
    await Promise.resolve();
    if (this.failWith !== undefined) throw this.failWith;
    this.records.push(...bodies);
  }
}

let sink: MemorySink;
let clock: HandClock;
let recorder: IntervalRecorder;

beforeEach(() => {
  sink = new MemorySink();
  clock = new HandClock(START);
  recorder = new IntervalRecorder({
    sink,
    clock,
    log: silentLog,
    intervalMs: 15 * MINUTE,
    maxInterpolationMs: 2 * MINUTE,
  });
});

const at = (minute: number) => START + minute * MINUTE;

function reading(minute: number, importKWh: number, more: Partial<Reading> = {}): void {
  clock.jumpWall(at(minute) - clock.now());
  recorder.reading({ era: "garage", receivedAtMs: at(minute), importKWh, ...more });
}

function setpoint(id: string, from: number, until: number, more: Partial<Setpoint> = {}): Setpoint {
  return {
    id,
    era: "garage",
    powerKW: -8,
    validFromMs: at(from),
    validUntilMs: at(until),
    receivedAtMs: at(Math.min(from, 0)),
    source: { kind: "market", orderId: `order-${id}` },
    clearingPrice: { pricePerKWh: 0.25 / 3, currency: "INR", adderPerKWh: 0.03 },
    ...more,
  };
}

/** `[from minute, to minute, import Wh, quality, setpoint]` */
const brief = () =>
  sink.records.map(({ start, end, importWh, quality, setpointId }) => [
    (Date.parse(start) - START) / MINUTE,
    (Date.parse(end) - START) / MINUTE,
    importWh,
    quality,
    setpointId,
  ]);

describe("an interval", () => {
  test("carries what was ordered in it and its price to the millionth, and where nothing was ordered it does not", async () => {
    recorder.setpoint(setpoint("s1", 0, 15));
    for (const minute of [0, 1, 14, 15, 30]) reading(minute, 100 + minute * 0.1);
    await settle();
    expect(sink.records[0]).toEqual({
      kind: "interval",
      era: "garage",
      start: new Date(at(0)).toISOString(),
      end: new Date(at(15)).toISOString(),
      quality: "MEASURED",
      importWh: 1500,
      importRegisterWh: 101_500,
      setpointId: "s1",
      setpointW: -8000,
      orderId: "order-s1",
      pricePerKWh: "0.083333",
      adderPerKWh: "0.03",
      currency: "INR",
    });
    expect(brief()[1]).toEqual([15, 30, 1500, "MEASURED", undefined]);
    expect(sink.records[1]).not.toHaveProperty("pricePerKWh");
  });

  test("is cut where a setpoint begins, where a newer one takes over, and where one is taken back", async () => {
    recorder.setpoint(setpoint("s1", 0, 15));
    reading(0, 0);
    reading(5, 0.5);
    recorder.setpoint(setpoint("s2", 5, 30, { receivedAtMs: at(5) }));
    for (const minute of [6, 8, 10]) reading(minute, minute / 10);
    recorder.withdraw(["s2"]);
    for (const minute of [11, 13, 15, 16]) reading(minute, minute / 10);
    await settle();
    expect(brief()).toEqual([
      [0, 5, 500, "MEASURED", "s1"],
      [5, 10, 500, "MEASURED", "s2"],
      [10, 15, 500, "MEASURED", "s1"],
    ]);
  });

  test("never gets a price that was told after its energy was metered", async () => {
    reading(0, 0);
    reading(5, 0.5);
    // A device whose clock is a minute ahead; the setpoint arrives by our clock in what it has metered already.
    recorder.setpoint(setpoint("s1", 0, 15, { receivedAtMs: at(4) }));
    for (const minute of [7, 9, 11, 13, 15]) reading(minute, minute / 10);
    await settle();
    expect(brief()).toEqual([
      [0, 5, 500, "MEASURED", undefined],
      [5, 15, 1000, "MEASURED", "s1"],
    ]);
  });
});

describe("a gap in the readings", () => {
  test("is a record without a price, once nothing more can be expected of it", async () => {
    recorder.setpoint(setpoint("s1", 0, 60));
    reading(0, 0);
    reading(13, 1.3);
    reading(40, 4);
    await settle();
    expect(brief()).toEqual([]);
    clock.advance(3 * MINUTE);
    recorder.reading({ era: "garage", receivedAtMs: at(43), importKWh: 4.3 });
    await settle();
    expect(brief()).toEqual([
      [0, 13, 1300, "MEASURED", "s1"],
      [13, 40, 2700, "GAP", undefined],
    ]);
  });

  test("is none where the device tells later what it measured meanwhile, in whatever order", async () => {
    recorder.setpoint(setpoint("s1", 0, 30));
    recorder.setpoint(setpoint("s2", 30, 60));
    reading(0, 0);
    reading(1, 0.1);
    // Live again, and only then what it kept.
    reading(62, 6.2);
    for (const minute of [15, 29, 30, 14, 31, 45, 59, 60]) {
      reading(62, minute / 10, { replayed: true, deviceTimeMs: at(minute) });
    }
    clock.advance(3 * MINUTE);
    recorder.reading({ era: "garage", receivedAtMs: at(65), importKWh: 6.5 });
    await settle();
    expect(brief()).toEqual([
      [0, 15, 1500, "MEASURED", "s1"],
      [15, 30, 1500, "MEASURED", "s1"],
      [30, 45, 1500, "MEASURED", "s2"],
      [45, 60, 1500, "MEASURED", "s2"],
    ]);
  });

  test("is told as one when the gateway stops before the rest came", async () => {
    reading(0, 0);
    reading(40, 4);
    await recorder.finish();
    expect(brief()).toEqual([[0, 40, 4000, "GAP", undefined]]);
  });

  test("holds nothing back for ever, however long a device goes on telling", async () => {
    reading(0, 0);
    reading(40, 4);
    for (let minute = 1; minute <= 31; minute++) {
      clock.advance(MINUTE);
      reading(40 + minute, 0.1 * minute, { replayed: true, deviceTimeMs: at(minute) });
    }
    await settle();
    expect(brief().length).toBeGreaterThan(0);
  });
});

test("when the gateway stops the interval ends at the last reading, and after a restart it goes on from there", async () => {
  reading(0, 10);
  reading(7, 10.7);
  await recorder.finish();
  expect(brief()).toEqual([[0, 7, 700, "MEASURED", undefined]]);
  sink.lasts.set("garage", { atMs: at(7), importWh: 10_700, isEstimated: false });
  const next = new IntervalRecorder({ sink, clock, log: silentLog, intervalMs: 900_000, maxInterpolationMs: 120_000 });
  next.reading({ era: "garage", receivedAtMs: at(12), importKWh: 11.2 });
  next.reading({ era: "garage", receivedAtMs: at(15), importKWh: 11.5 });
  await settle();
  expect(brief()[1]).toEqual([7, 15, 800, "MEASURED", undefined]);
});

describe("a reading", () => {
  test("counts at the time at which the device measured, unless its clock is plainly wrong", async () => {
    reading(0, 0);
    reading(14, 1.4);
    reading(15.5, 1.5, { deviceTimeMs: at(15) });
    reading(30, 3, { deviceTimeMs: at(-600) });
    await settle();
    expect(brief()).toEqual([
      [0, 15, 1500, "MEASURED", undefined],
      [15, 30, 1500, "MEASURED", undefined],
    ]);
  });

  test("that comes late counts at its own time, but changes nothing that is written", async () => {
    reading(0, 0);
    reading(40, 1.4, { replayed: true, deviceTimeMs: at(14) });
    reading(40, 1.5, { replayed: true, deviceTimeMs: at(15) });
    reading(41, 9, { replayed: true, deviceTimeMs: at(5) });
    await settle();
    expect(brief()).toEqual([[0, 15, 1500, "MEASURED", undefined]]);
  });

  test("without a register, or with one that is no number, gives no energy", async () => {
    recorder.reading({ era: "garage", receivedAtMs: at(0), powerKW: -8 });
    reading(0, Number.NaN);
    reading(1, -5);
    reading(30, 4);
    await recorder.finish();
    expect(sink.records).toEqual([]);
  });
});

describe("a disk that fails", () => {
  test("loses nothing while it comes back in time", async () => {
    sink.failWith = new Error("no space left");
    for (const minute of [0, 15, 30]) reading(minute, minute / 10);
    await settle();
    expect(sink.records).toEqual([]);
    sink.failWith = undefined;
    reading(45, 4.5);
    await settle();
    expect(brief().map(([from]) => from)).toEqual([0, 15, 30]);
    expect(recorder.lost).toBe(0);
  });

  test("is not asked for ever for what it refuses for good", async () => {
    sink.failWith = new RangeError("overlaps");
    for (const minute of [0, 15, 30]) reading(minute, minute / 10);
    await settle();
    sink.failWith = undefined;
    reading(45, 4.5);
    await settle();
    expect(recorder.lost).toBe(2);
    expect(brief().map(([from]) => from)).toEqual([30]);
  });
});

test("an interval without a length, and readings that may lie further apart than one, are refused", () => {
  const options = { sink, clock, log: silentLog, intervalMs: 900_000, maxInterpolationMs: 120_000 };
  expect(() => new IntervalRecorder({ ...options, intervalMs: 0 })).toThrow(/intervalMs/);
  expect(() => new IntervalRecorder({ ...options, maxInterpolationMs: 900_001 })).toThrow(/maxInterpolationMs/);
});
