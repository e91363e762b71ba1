import { createHash } from "node:crypto";
import { closeSync, openSync, readdirSync, readSync, statSync } from "node:fs";
import { join } from "node:path";
import { MAX_LINE_BYTES } from "./log-record.ts";

const CHUNK_BYTES = 65_536;
const LINE_END = 10;
const FILE_NAME = /^intervals-\d{12}-\d{4}-\d{2}-\d{2}\.jsonl$/;

/** A line of a log file, or what is left at its end. */
export interface LogLine {
  /** From 1. */
  readonly number: number;
  /** Without its end; only the beginning of a line that is too long. */
  readonly bytes: Buffer;
  /** Where it begins in the file. */
  readonly offset: number;
  /** Whether it ends as a line does. If not, it is the last, and torn. */
  readonly isWhole: boolean;
  /** It is longer than any record. What comes after it is not read. */
  readonly isTooLong: boolean;
}

/** The lines of a file, one at a time, in bounded memory. */
export function* readLines(file: string): Generator<LogLine> {
  const descriptor = openSync(file, "r");
  try {
    const chunk = Buffer.alloc(CHUNK_BYTES);
    const next = () => chunk.subarray(0, readSync(descriptor, chunk, 0, CHUNK_BYTES, null));
    let rest: Buffer = Buffer.alloc(0);
    let offset = 0;
    let number = 1;
    for (let read = next(); read.length > 0; read = next()) {
      let bytes: Buffer = Buffer.concat([rest, read]);
      let end = bytes.indexOf(LINE_END);
      for (; end >= 0 && end <= MAX_LINE_BYTES; end = bytes.indexOf(LINE_END)) {
        yield { number, bytes: bytes.subarray(0, end), offset, isWhole: true, isTooLong: false };
        number += 1;
        offset += end + 1;
        bytes = bytes.subarray(end + 1);
      }
      if (bytes.length > MAX_LINE_BYTES) {
        const beginning = Buffer.from(bytes.subarray(0, MAX_LINE_BYTES));
        // Whether it is one long line or a torn end is seen only further on.
        while (end < 0 && read.length > 0) {
          read = next();
          end = read.indexOf(LINE_END);
        }
        yield { number, bytes: beginning, offset, isWhole: end >= 0, isTooLong: true };
        return;
      }
      rest = bytes;
    }
    if (rest.length > 0) yield { number, bytes: rest, offset, isWhole: false, isTooLong: false };
  } finally {
    closeSync(descriptor);
  }
}

/** SHA-256 of all that follows from a place in a file, and how much that is. */
export function restOfFile(file: string, offset: number): { bytes: number; sha256: string } {
  const descriptor = openSync(file, "r");
  try {
    const hash = createHash("sha256");
    const chunk = Buffer.alloc(CHUNK_BYTES);
    let at = offset;
    for (;;) {
      const length = readSync(descriptor, chunk, 0, CHUNK_BYTES, at);
      if (length === 0) return { bytes: at - offset, sha256: hash.digest("hex") };
      hash.update(chunk.subarray(0, length));
      at += length;
    }
  } finally {
    closeSync(descriptor);
  }
}

/** Name of a log file by the number of its first record, so that names sort as the chain goes. */
export function logFileName(firstSeq: number, day: string): string {
  return `intervals-${String(firstSeq).padStart(12, "0")}-${day}.jsonl`;
}

/** The log files of a folder in the order of the chain; a file stands for itself. */
export function logFilesOf(path: string): readonly string[] {
  if (!statSync(path).isDirectory()) return [path];
  return readdirSync(path)
    .filter((name) => FILE_NAME.test(name))
    .sort()
    .map((name) => join(path, name));
}
