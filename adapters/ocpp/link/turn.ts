import { abortable } from "./abortable.ts";

/** One piece of work at a time, in the order of asking. */
export class Turn {
  #last: Promise<void> = Promise.resolve();
  #pending = 0;

  /**
   * Waits for what was asked before, then works; what went wrong before is not its concern. With nothing before it the
   * work begins at once and not a moment later: a command that an idle charger waits for goes out before anything else.
   */
  async run<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    signal.throwIfAborted();
    const isFirst = this.#pending === 0;
    const before = this.#last;
    let done = () => {};
    const mine = new Promise<void>((resolve) => {
      done = resolve;
    });
    this.#last = before.then(() => mine);
    this.#pending += 1;
    try {
      if (!isFirst) await abortable(before, signal);
      return await work();
    } finally {
      this.#pending -= 1;
      done();
    }
  }
}
