/**
 * The one source of time. Wall time says when something is due; elapsed time (monotonic) measures how long something
 * takes, so that a jump of the wall clock changes no countdown.
 */
export interface Clock {
  /** Wall time, epoch ms. */
  now(): number;
  /** Elapsed ms since some fixed moment; never jumps. */
  elapsedMs(): number;
  /** Resolves after `ms` of elapsed time; rejects with the signal's reason when it aborts. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  elapsedMs: () => performance.now(),
  sleep: (ms, signal) =>
    new Promise((resolve, reject) => {
      if (signal?.aborted) {
        reject(signal.reason);
        return;
      }
      const onAbort = () => {
        clearTimeout(timer);
        reject(signal?.reason);
      };
      const timer = setTimeout(() => {
        signal?.removeEventListener("abort", onAbort);
        resolve();
      }, ms);
      signal?.addEventListener("abort", onAbort, { once: true });
    }),
};

/** Thrown by `withDeadline` when the time ran out. */
export class DeadlineError extends Error {
  override readonly name = "DeadlineError";
}

/** A reason of our own spares the exception with its stack that `abort` makes when it is given none. */
const OVER = "no longer needed";

/**
 * Runs `work` for at most `ms` of elapsed time. Its signal aborts when the time is out or the outer signal aborts.
 * @throws DeadlineError when the time ran out, whether or not `work` heeds its signal
 */
export async function withDeadline<T>(
  clock: Clock,
  ms: number,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  signal.throwIfAborted();
  const inner = new AbortController();
  const onAbort = () => inner.abort(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    return await withDeadlineOf(clock, ms, inner, work);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}

/**
 * As `withDeadline`, with a controller that the caller may abort and that nothing else uses.
 * @throws DeadlineError when the time ran out, or the reason with which the controller was aborted
 */
export async function withDeadlineOf<T>(
  clock: Clock,
  ms: number,
  controller: AbortController,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const { signal } = controller;
  // The work begins first: a command leaves for its device before anything is set up around it.
  const working = work(signal);
  // When the deadline wins, nobody awaits `working` any more; its rejection is the one we caused.
  working.catch(() => {});
  const aborted = new Promise<never>((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    else signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
  aborted.catch(() => {});
  const timer = new AbortController();
  clock.sleep(ms, timer.signal).then(
    () => controller.abort(new DeadlineError(`no answer within ${ms} ms`)),
    () => {},
  );
  try {
    return await Promise.race([working, aborted]);
  } finally {
    timer.abort(OVER);
  }
}

/** Calls `task` every `ms` of elapsed time, the first time after one period, until `signal` aborts. */
export async function repeatEvery(
  clock: Clock,
  ms: number,
  signal: AbortSignal,
  task: () => void | Promise<void>,
): Promise<void> {
  while (!signal.aborted) {
    try {
      await clock.sleep(ms, signal);
    } catch {
      return;
    }
    await task();
  }
}

/** Exponential back-off with jitter: the upper half of `min(capMs, baseMs * 2^attempt)`, so that a fleet does not retry in step. */
export function backoffMs(attempt: number, baseMs: number, capMs: number, random: () => number): number {
  const ceiling = Math.min(capMs, baseMs * 2 ** Math.min(attempt, 30));
  return Math.round(ceiling * (0.5 + 0.5 * random()));
}
