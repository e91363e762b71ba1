import type { Clock } from "./clock.ts";

/**
 * A clock that runs faster than the one below it, so that an afternoon passes in a minute. All that lives on it must be
 * given this clock; what waits on the real one (a socket's own timeout) only seems slower.
 * @param factor model time per real time, > 0
 * @param startAtMs wall time at which it starts, epoch ms
 */
export function fastClock(base: Clock, factor: number, startAtMs: number): Clock {
  const startedMs = base.elapsedMs();
  const elapsedMs = () => (base.elapsedMs() - startedMs) * factor;
  return {
    now: () => Math.floor(startAtMs + elapsedMs()),
    elapsedMs,
    sleep: (ms, signal) => base.sleep(ms / factor, signal),
  };
}
