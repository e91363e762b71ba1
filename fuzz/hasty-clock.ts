import { setTimeout as pause } from "node:timers/promises";
import type { Clock } from "../src/clock.ts";

/** Elapsed time and waits that run so many times faster, so that a hundred thousand timeouts take minutes. */
export function hastyClock(times: number): Clock {
  return {
    now: () => Date.now(),
    elapsedMs: () => performance.now() * times,
    sleep: async (ms, signal) => {
      try {
        await pause(ms / times, undefined, signal === undefined ? {} : { signal });
      } catch (error) {
        throw signal?.aborted ? signal.reason : error;
      }
    },
  };
}
