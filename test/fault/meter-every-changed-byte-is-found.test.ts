import { generateKeyPairSync, type KeyObject } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { publicKeyText } from "../../src/market/signing-keys.ts";
import { IntervalLog } from "../../src/meter/interval-log.ts";
import { logFilesOf } from "../../src/meter/log-lines.ts";
import { parseRecord } from "../../src/meter/log-record.ts";
import { sealRecord } from "../../src/meter/record-seal.ts";
import { type LogFault, verifyLog } from "../../src/meter/verify-log.ts";
import { HandClock } from "../support/hand-clock.ts";

const QUARTER = 900_000;
const START = Date.UTC(2026, 5, 15, 12);

let folder: string;
let copy: string;
let privateKey: KeyObject;
let original: Buffer;
let lines: readonly string[];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "setpointd-meter-"));
  copy = join(folder, "copy.jsonl");
  privateKey = generateKeyPairSync("ed25519").privateKey;
  const log = await IntervalLog.open({ folder: join(folder, "log"), privateKey, clock: new HandClock(START) });
  for (let index = 0; index < 5; index++) {
    await log.append([
      {
        kind: "interval",
        era: "garage",
        start: new Date(START + index * QUARTER).toISOString(),
        end: new Date(START + (index + 1) * QUARTER).toISOString(),
        quality: index === 3 ? "GAP" : "MEASURED",
        importWh: 500 + index,
        ...(index === 3 && { reason: "no reading for 900 s" }),
      },
    ]);
  }
  await log[Symbol.asyncDispose]();
  original = readFileSync(logFilesOf(join(folder, "log"))[0] ?? "");
  lines = original.toString().trimEnd().split("\n");
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What verification says of a file with this content. */
function faultOf(content: string | Uint8Array): LogFault | undefined {
  writeFileSync(copy, content);
  return verifyLog([copy], { publicKey: publicKeyText(privateKey) }).fault;
}

const fromLines = (list: readonly (string | undefined)[]) => `${list.join("\n")}\n`;

/** The line of a record whose content was changed, sealed again as its writer would have, by another key. */
function forged(line: string | undefined, key: KeyObject, change: (text: string) => string): string {
  const record = parseRecord(change(line ?? ""));
  if (typeof record === "string") throw new Error(record);
  const { hash: _hash, signature: _signature, seq, previous, at, ...body } = record;
  return sealRecord(body, { seq, previous, at }, key).line;
}

test("the log as it was written is sound", () => {
  expect(faultOf(original)).toBeUndefined();
});

describe("one byte", () => {
  test("that is flipped is found, wherever it is, at the line where it is", () => {
    let lineNumber = 1;
    for (let index = 0; index < original.length; index++) {
      // Every byte of one line and all line ends, and each eleventh of the rest; a bit that walks through the byte.
      const isLineEnd = original[index] === 10;
      if (isLineEnd || lineNumber === 2 || index % 11 === 0) {
        const changed = Buffer.from(original);
        changed[index] = (original[index] ?? 0) ^ (1 << (index % 8));
        const fault = faultOf(changed);
        expect(fault, `byte ${index}`).toBeDefined();
        expect(fault?.line, `byte ${index}`).toBe(lineNumber);
      }
      if (isLineEnd) lineNumber += 1;
    }
  });

  test("that is put in or taken out is found", () => {
    for (let index = 0; index < original.length; index += 23) {
      const [before, after] = [original.subarray(0, index), original.subarray(index)];
      expect(faultOf(Buffer.concat([before, Buffer.from(" "), after])), `space at ${index}`).toBeDefined();
      expect(faultOf(Buffer.concat([before, after.subarray(1)])), `without ${index}`).toBeDefined();
    }
  });
});

describe("a line", () => {
  test("that is taken out is missed, wherever it was", () => {
    for (let index = 0; index < lines.length - 1; index++) {
      const fault = faultOf(fromLines(lines.toSpliced(index, 1)));
      expect(fault, `line ${index + 1}`).toMatchObject({ kind: "removed", line: index + 1 });
    }
    expect(faultOf(fromLines(lines.toSpliced(2, 2)))?.message).toBe("records 3 to 4 are missing before record 5");
  });

  test("that is the last can be missed only by who knows that the log was closed, or its last hash", () => {
    writeFileSync(copy, fromLines(lines.slice(0, -1)));
    const verification = verifyLog([copy]);
    expect(verification.fault).toBeUndefined();
    expect(verification.isClosed).toBe(false);
    const last = parseRecord(lines.at(-1) ?? "");
    const head = typeof last === "string" ? "" : last.hash;
    expect(verifyLog([copy], { head }).fault).toMatchObject({ kind: "removed" });
  });

  test("that stands twice, or elsewhere, is told as such", () => {
    expect(faultOf(fromLines(lines.toSpliced(3, 0, lines[2] ?? "")))).toMatchObject({
      kind: "duplicated",
      line: 4,
      seq: 3,
    });
    const swapped = [lines[0], lines[1], lines[3], lines[2], ...lines.slice(4)];
    expect(faultOf(fromLines(swapped))).toMatchObject({
      kind: "reordered",
      line: 3,
      message: `record 3 should stand here, and stands in ${copy}:4`,
    });
  });

  test("that is longer than any record is not read to its end", () => {
    expect(faultOf(`${lines[0]}\n${"x".repeat(1_000_000)}\n`)).toMatchObject({ kind: "changed", line: 2 });
    expect(faultOf(`${lines[0]}\n${"x".repeat(1_000_000)}`)).toMatchObject({ kind: "torn", line: 2 });
  });
});

test("a file that was cut anywhere but at the end of a line is torn", () => {
  for (let length = 1; length < original.length; length += 13) {
    if (original[length - 1] === 10) continue;
    const fault = faultOf(original.subarray(0, length));
    expect(fault, `${length} bytes`).toMatchObject({ kind: "torn" });
  }
  expect(faultOf("")).toMatchObject({ kind: "torn", message: "the file holds no record" });
});

describe("a forger", () => {
  const less = (text: string) => text.replace(`"importWh":501`, `"importWh":101`);

  test("with another key is found by the signature", () => {
    const other = generateKeyPairSync("ed25519").privateKey;
    const fault = faultOf(fromLines([...lines.slice(0, 2), forged(lines[2], other, less), ...lines.slice(3)]));
    expect(fault).toMatchObject({ kind: "bad signature", line: 3 });
  });

  test("who has even the key is found by the record after, which holds the hash of what was there", () => {
    const fault = faultOf(fromLines([...lines.slice(0, 2), forged(lines[2], privateKey, less), ...lines.slice(3)]));
    expect(fault).toMatchObject({ kind: "changed", line: 4, message: expect.stringMatching(/does not follow/) });
  });

  test("who writes a whole new log is found by the key", () => {
    const other = generateKeyPairSync("ed25519").privateKey;
    const opening = forged(lines[0], other, (text) => text.replace(publicKeyText(privateKey), publicKeyText(other)));
    writeFileSync(copy, fromLines([opening]));
    expect(verifyLog([copy]).fault).toBeUndefined();
    expect(verifyLog([copy], { publicKey: publicKeyText(privateKey) }).fault).toMatchObject({
      kind: "wrong key",
      line: 1,
    });
  });

  test("who counts energy twice is found by the time", () => {
    const again = forged(lines[2], privateKey, (text) =>
      text.replace(/"start":"[^"]+"/, `"start":"2026-06-15T12:00:00.000Z"`),
    );
    expect(faultOf(fromLines([...lines.slice(0, 2), again]))).toMatchObject({ kind: "overlap", line: 3 });
  });
});
