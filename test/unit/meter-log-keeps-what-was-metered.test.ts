import { generateKeyPairSync, type KeyObject } from "node:crypto";
import {
  appendFileSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { publicKeyText } from "../../src/market/signing-keys.ts";
import { IntervalLog } from "../../src/meter/interval-log.ts";
import { logFilesOf } from "../../src/meter/log-lines.ts";
import type { IntervalBody } from "../../src/meter/log-record.ts";
import { loadOrCreateMeterKey } from "../../src/meter/meter-key.ts";
import { verifyLog } from "../../src/meter/verify-log.ts";
import { HandClock } from "../support/hand-clock.ts";

const QUARTER = 900_000;
const START = Date.UTC(2026, 5, 15, 12);

let folder: string;
let clock: HandClock;
let privateKey: KeyObject;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "setpointd-meter-"));
  clock = new HandClock(START);
  privateKey = generateKeyPairSync("ed25519").privateKey;
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const openLog = (more: { maxBytes?: number } = {}) =>
  IntervalLog.open({ folder: join(folder, "meter"), privateKey, clock, ...more });

/** The n-th quarter of an hour of a resource. */
function quarter(index: number, era = "garage"): IntervalBody {
  return {
    kind: "interval",
    era,
    start: new Date(START + index * QUARTER).toISOString(),
    end: new Date(START + (index + 1) * QUARTER).toISOString(),
    quality: "MEASURED",
    importWh: 500,
    importRegisterWh: 1000 + 500 * (index + 1),
    setpointId: `market/msg/${index}`,
    setpointW: -2000,
    pricePerKWh: "0.09",
    currency: "INR",
  };
}

const files = () => logFilesOf(join(folder, "meter"));
const verify = (more = {}) => verifyLog(files(), { publicKey: publicKeyText(privateKey), ...more });

test("what was appended is there, signed, in order, and adds up for each resource", async () => {
  const log = await openLog();
  await Promise.all([log.append([quarter(0), quarter(0, "roof")]), log.append([quarter(1)])]);
  await log[Symbol.asyncDispose]();
  expect(verify()).toMatchObject({
    records: 5,
    firstSeq: 1,
    lastSeq: 5,
    isClosed: true,
    totals: [
      { era: "garage", measured: 2, gaps: 0, holes: 0, importWh: 1000 },
      { era: "roof", measured: 1, importWh: 500 },
    ],
  });
  expect(verify()).not.toHaveProperty("fault");
});

test("a gap is a record, its energy is counted apart, and a stretch without a record is a hole", async () => {
  const log = await openLog();
  await log.append([quarter(0), { ...quarter(1), quality: "GAP", reason: "no reading for 900 s" }, quarter(5)]);
  await log[Symbol.asyncDispose]();
  expect(verify().totals).toMatchObject([{ measured: 2, gaps: 1, holes: 1, importWh: 1000, gapImportWh: 500 }]);
});

test("after a restart the chain goes on in the same file, and the last registers are known", async () => {
  await using first = await openLog();
  await first.append([quarter(0)]);
  await first[Symbol.asyncDispose]();
  await using second = await openLog();
  expect(second.lastOf("garage")).toEqual({ atMs: START + QUARTER, importWh: 1500, isEstimated: false });
  expect(second.lastOf("roof")).toBeUndefined();
  await second.append([quarter(1)]);
  await second[Symbol.asyncDispose]();
  expect(files()).toHaveLength(1);
  expect(verify()).toMatchObject({ records: 6, isClosed: true, totals: [{ measured: 2, holes: 0 }] });
});

/** Ends the log as a power cut does: without its closing record, and with so many bytes of the last line missing. */
async function powerCut(log: IntervalLog, missingBytes: number): Promise<string> {
  await log[Symbol.asyncDispose]();
  const file = files().at(-1) ?? "";
  const text = readFileSync(file, "utf8");
  const closing = text.trimEnd().split("\n").at(-1) ?? "";
  truncateSync(file, text.length - closing.length - 1 - missingBytes);
  return file;
}

test("after a power cut the torn end is cut off, and that it was is a record", async () => {
  const cut = await openLog();
  await cut.append([quarter(0), quarter(1)]);
  const file = await powerCut(cut, 100);
  expect(verify().fault).toMatchObject({ kind: "torn", line: 3 });
  await using log = await openLog();
  expect(log.lastOf("garage")?.atMs).toBe(START + QUARTER);
  await log.append([quarter(1)]);
  await log[Symbol.asyncDispose]();
  expect(verify()).toMatchObject({ records: 6, totals: [{ measured: 2, importWh: 1000 }] });
  expect(readFileSync(file, "utf8")).toMatch(/"kind":"recovered"/);
});

test("a power cut in the first line leaves a log that can be gone on with", async () => {
  await powerCut(await openLog(), 40);
  await using log = await openLog();
  await log.append([quarter(0)]);
  expect(verify()).toMatchObject({ records: 3, firstSeq: 1 });
});

test("zeros that a file system leaves after a power cut count as torn too", async () => {
  const cut = await openLog();
  await cut.append([quarter(0)]);
  const file = await powerCut(cut, 0);
  appendFileSync(file, Buffer.alloc(9000));
  await using log = await openLog();
  await log.append([quarter(1)]);
  expect(verify()).toMatchObject({ totals: [{ measured: 2 }] });
  expect(readFileSync(file, "utf8")).toMatch(/"droppedBytes":9000/);
});

test("a long line that somebody put in is no torn end: nothing after it is thrown away", async () => {
  const log = await openLog();
  await log.append([quarter(0)]);
  const file = await powerCut(log, 0);
  const before = readFileSync(file, "utf8");
  writeFileSync(file, `${"x".repeat(200_000)}\n${before}`);
  await expect(openLog()).rejects.toThrow(/:1: the line is longer than any record/);
  expect(readFileSync(file, "utf8")).toContain(before);
});

describe("a new file", () => {
  test("begins each day and carries the chain over", async () => {
    const log = await openLog();
    await log.append([quarter(0)]);
    clock.advance(86_400_000);
    await log.append([quarter(1)]);
    await log[Symbol.asyncDispose]();
    expect(readdirSync(join(folder, "meter"))).toEqual([
      "intervals-000000000001-2026-06-15.jsonl",
      "intervals-000000000004-2026-06-16.jsonl",
    ]);
    expect(verify()).toMatchObject({ records: 6, lastSeq: 6 });
    expect(verify()).not.toHaveProperty("fault");
    const [, second = ""] = files();
    expect(verifyLog([second])).toMatchObject({ firstSeq: 4, records: 3 });
    expect(verifyLog([...files()].reverse()).fault).toMatchObject({ kind: "duplicated", file: files()[0] });
  });

  test("begins when one is full, and a missing one is noticed", async () => {
    const log = await openLog({ maxBytes: 1500 });
    for (let index = 0; index < 8; index++) await log.append([quarter(index)]);
    await log[Symbol.asyncDispose]();
    expect(files().length).toBeGreaterThan(2);
    expect(verify()).toMatchObject({ totals: [{ measured: 8, holes: 0 }] });
    expect(verify()).not.toHaveProperty("fault");
    const [first = "", , third = ""] = files();
    expect(verifyLog([first, third]).fault).toMatchObject({ kind: "removed", file: third, line: 1 });
  });

  test("that got no line before a power cut is gone on with", async () => {
    const log = await openLog();
    await log.append([quarter(0)]);
    await log[Symbol.asyncDispose]();
    writeFileSync(join(folder, "meter", "intervals-000000000004-2026-06-16.jsonl"), "");
    await using after = await openLog();
    await after.append([quarter(1)]);
    expect(verify()).toMatchObject({ totals: [{ measured: 2 }] });
    expect(verify()).not.toHaveProperty("fault");
  });
});

describe("a record is refused", () => {
  test("if it overlaps the one before it, and the others are written", async () => {
    await using log = await openLog();
    await log.append([quarter(0)]);
    const [bad, good] = await Promise.allSettled([log.append([quarter(1), quarter(1)]), log.append([quarter(1)])]);
    expect(bad).toMatchObject({
      status: "rejected",
      reason: { message: expect.stringMatching(/garage: an interval starts/) },
    });
    expect(good.status).toBe("fulfilled");
    expect(verify()).toMatchObject({ totals: [{ measured: 2 }] });
  });

  test("if it is not one, naming the field", async () => {
    await using log = await openLog();
    await expect(log.append([{ ...quarter(0), importWh: 0.5 }])).rejects.toThrow(/garage: importWh/);
    await expect(log.append([{ ...quarter(0), start: "2026-06-15 12:00" }])).rejects.toThrow(/start: must be a time/);
    await expect(log.append([{ ...quarter(0), end: quarter(0).start }])).rejects.toThrow(/ends before it starts/);
  });

  test("after the log was closed", async () => {
    const log = await openLog();
    await log[Symbol.asyncDispose]();
    await expect(log.append([quarter(0)])).rejects.toThrow(/closed/);
  });
});

test("a log that somebody changed is not gone on with, since that would cover it up", async () => {
  const log = await openLog();
  await log.append([quarter(0)]);
  await log[Symbol.asyncDispose]();
  const [file = ""] = files();
  writeFileSync(file, readFileSync(file, "utf8").replace(`"importWh":500`, `"importWh":400`));
  await expect(openLog()).rejects.toThrow(/:2: record 2 does not have the hash of its content; move the log away/);
});

test("a hash that was noted proves that the log was not cut", async () => {
  const log = await openLog();
  await log.append([quarter(0)]);
  const noted = log.head;
  await log.append([quarter(1)]);
  await log[Symbol.asyncDispose]();
  expect(verify({ head: noted.hash })).not.toHaveProperty("fault");
  const [file = ""] = files();
  const lines = readFileSync(file, "utf8").split("\n");
  // Cut at the end of a line: the chain alone can't tell.
  writeFileSync(file, `${lines.slice(0, 1).join("\n")}\n`);
  expect(verify()).not.toHaveProperty("fault");
  expect(verify()).toMatchObject({ isClosed: false });
  expect(verify({ head: noted.hash }).fault).toMatchObject({ kind: "removed" });
});

describe("the key", () => {
  test("is made once, for its owner alone, with the public half beside it", () => {
    const file = join(folder, "meter.key");
    const made = loadOrCreateMeterKey(file);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(publicKeyText(loadOrCreateMeterKey(file))).toBe(publicKeyText(made));
    expect(readFileSync(`${file}.pub`, "utf8").trim()).toBe(publicKeyText(made));
  });

  test("that others may read, or that is none, is refused with what to do", () => {
    const open = join(folder, "open.key");
    writeFileSync(open, "x", { mode: 0o644 });
    expect(() => loadOrCreateMeterKey(open)).toThrow(/others may read this key.*chmod 600/);
    const broken = join(folder, "broken.key");
    writeFileSync(broken, "abc", { mode: 0o600 });
    expect(() => loadOrCreateMeterKey(broken)).toThrow(/broken\.key: an Ed25519 private key is base64/);
  });
});
