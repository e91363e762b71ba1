import { abortable } from "./abortable.ts";

/** One piece of work at a time, in the order of asking. */
export class Turn {
  #last: Promise<void> = Promise.resolve();

  /** Waits for what was asked before, then works; what went wrong before is not its concern. */
  async run<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    const before = this.#last;
    let done = () => {};
    const mine = new Promise<void>((resolve) => {
      done = resolve;
    });
    this.#last = before.then(() => mine);
    try {
      await abortable(before, signal);
      return await work();
    } finally {
      done();
    }
  }
}
