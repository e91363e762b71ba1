import type { RegisterPoint } from "../settlement/interval-energy.ts";
import { ChainFault, ChainWalk } from "./chain-walk.ts";
import { logFilesOf, readLines } from "./log-lines.ts";
import { type IntervalBody, NO_HASH } from "./log-record.ts";

/** A file that can't be gone on with; the message names it, the line and the fault. */
export class IntervalLogError extends Error {
  override readonly name = "IntervalLogError";
}

/** Where the chain ends, and how long the file is up to there. */
export interface Tip {
  readonly seq: number;
  readonly hash: string;
  readonly bytes: number;
}

/** What a log that is gone on with has to know of itself. */
interface Tail {
  readonly file: string;
  readonly day: string;
  readonly tip: Tip;
  /** Bytes follow the tip that are no whole record. */
  readonly isTorn: boolean;
  readonly lasts: ReadonlyMap<string, RegisterPoint>;
}

/**
 * The end of the chain, from the two newest files: a resource that is in neither begins anew.
 * @returns nothing if the folder has no log
 * @throws IntervalLogError if one of the files was changed
 */
export function readTail(folder: string): Tail | undefined {
  const files = logFilesOf(folder).slice(-2);
  const walk = new ChainWalk({ checkSignatures: false });
  const lasts = new Map<string, RegisterPoint>();
  let bytes = 0;
  let isTorn = false;
  for (const [index, file] of files.entries()) {
    walk.beginFile();
    bytes = 0;
    for (const line of readLines(file)) {
      if (!line.isWhole && index === files.length - 1) {
        isTorn = true;
        break;
      }
      try {
        const record = walk.take(line);
        if (record.kind === "interval") lasts.set(record.era, pointAtEndOf(record));
      } catch (error) {
        if (!(error instanceof ChainFault)) throw error;
        throw new IntervalLogError(`${file}:${line.number}: ${error.message}; move the log away to begin a new one`);
      }
      bytes = line.offset + line.bytes.length + 1;
    }
  }
  const file = files.at(-1);
  if (file === undefined) return undefined;
  const tip = { seq: walk.last?.seq ?? 0, hash: walk.last?.hash ?? NO_HASH, bytes };
  return { file, day: file.slice(-"YYYY-MM-DD.jsonl".length, -".jsonl".length), tip, isTorn, lasts };
}

/** The registers at the end of an interval. */
export function pointAtEndOf(body: IntervalBody): RegisterPoint {
  const { end, importRegisterWh, exportRegisterWh, quality } = body;
  return {
    atMs: Date.parse(end),
    ...(importRegisterWh !== undefined && { importWh: importRegisterWh }),
    ...(exportRegisterWh !== undefined && { exportWh: exportRegisterWh }),
    isEstimated: quality === "ESTIMATED",
  };
}
