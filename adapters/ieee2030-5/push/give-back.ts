import type { Clock } from "../../../src/clock.ts";
import type { Log } from "../../../src/log.ts";

export const RETRY_MS = 15_000;

/** Ends what has no end of its own: at its time, and then until it has worked. One at a time; each order sets it anew. */
export class GiveBack {
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #work: (signal: AbortSignal) => Promise<void>;
  #current: { readonly stop: AbortController; readonly done: Promise<void> } | undefined;

  constructor(clock: Clock, log: Log, work: (signal: AbortSignal) => Promise<void>) {
    this.#clock = clock;
    this.#log = log;
    this.#work = work;
  }

  in(delayMs: number): void {
    const stop = new AbortController();
    const before = this.#current;
    before?.stop.abort(new Error("set anew"));
    const done = (async () => {
      await before?.done;
      await this.#run(delayMs, stop.signal);
    })();
    this.#current = { stop, done };
  }

  /** Not any more. Resolves when nothing of it is under way. */
  async cancel(): Promise<void> {
    const before = this.#current;
    this.#current = undefined;
    before?.stop.abort(new Error("not needed any more"));
    await before?.done;
  }

  async #run(delayMs: number, signal: AbortSignal): Promise<void> {
    for (let waitMs = Math.max(delayMs, 0); !signal.aborted; waitMs = RETRY_MS) {
      try {
        await this.#clock.sleep(waitMs, signal);
        await this.#work(signal);
        return;
      } catch (error) {
        if (signal.aborted) return;
        this.#log.warn("2030.5 device could not be given back yet", {
          reason: error instanceof Error ? error.message : String(error),
        });
      }
    }
  }
}
