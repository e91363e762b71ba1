import { setImmediate as turn } from "node:timers/promises";
import { logFilesOf, readLines } from "./log-lines.ts";
import { type IntervalBody, parseRecord } from "./log-record.ts";

/**
 * The intervals of a log that end after an instant, in their order. Whether the log is sound is not checked here; a line
 * that is no record is left out. Other work gets its turn between two files.
 * @param folder of the log; none is like an empty one
 */
export async function* recentIntervals(folder: string, sinceMs: number): AsyncGenerator<IntervalBody> {
  for (const file of filesOf(folder)) {
    // A file is named after the day on which it was begun, and is closed a day later at the latest.
    const begunMs = Date.parse(/(\d{4}-\d{2}-\d{2})\.jsonl$/.exec(file)?.[1] ?? "");
    if (begunMs + 2 * 86_400_000 < sinceMs) continue;
    await turn();
    for (const { bytes, isWhole, isTooLong } of readLines(file)) {
      if (!isWhole || isTooLong) continue;
      const record = parseRecord(bytes.toString("utf8"));
      if (typeof record === "object" && record.kind === "interval" && Date.parse(record.end) > sinceMs) yield record;
    }
  }
}

function filesOf(folder: string): readonly string[] {
  try {
    return logFilesOf(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}
