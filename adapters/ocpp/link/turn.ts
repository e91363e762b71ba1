import { abortable } from "./abortable.ts";

/** One piece of work at a time, in the order of asking. */
export class Turn {
  /** Absent while nothing is worked on. */
  #last: Promise<void> | undefined;
  #pending = 0;

  /**
   * Waits for what was asked before, then works; what went wrong before is not its concern. With nothing before it the
   * work begins at once and not a moment later: a command that an idle charger waits for goes out before anything else.
   */
  async run<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    signal.throwIfAborted();
    const before = this.#last;
    let done = () => {};
    const mine = new Promise<void>((resolve) => {
      done = resolve;
    });
    this.#last = before === undefined ? mine : before.then(() => mine);
    this.#pending += 1;
    try {
      if (before !== undefined) await abortable(before, signal);
      return await work();
    } finally {
      this.#pending -= 1;
      if (this.#pending === 0) this.#last = undefined;
      done();
    }
  }
}
