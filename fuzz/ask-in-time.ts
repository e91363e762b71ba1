import { setTimeout as pause } from "node:timers/promises";
import type { AskedProgram } from "../bench/asked-program.ts";
import { Crashed } from "./campaign.ts";

/** No question may take longer. */
const SILENT_MS = 30_000;
/** Until what closed connections leave behind is gone. */
const SETTLE_MS = 500;

/**
 * Asks the program that is fuzzed.
 * @throws Crashed where it is gone, Error where it hangs
 */
export async function askInTime<T>(subject: AskedProgram, question: string, input: unknown): Promise<T> {
  if (!subject.isRunning) throw new Crashed("gone");
  const stop = new AbortController();
  try {
    return await Promise.race([
      subject.ask<T>(question, input),
      pause(SILENT_MS, undefined, { signal: stop.signal }).then(() => {
        throw new Error(`${question} ${JSON.stringify(input)} did not end within ${SILENT_MS / 1000} s`);
      }),
    ]);
  } finally {
    stop.abort();
  }
}

/** What the program that is fuzzed has in use, MiB, with no connection open. */
export async function settledHeapMB(subject: AskedProgram): Promise<number> {
  await pause(SETTLE_MS);
  return (await askInTime<number>(subject, "heap", null)) / 1024 / 1024;
}
