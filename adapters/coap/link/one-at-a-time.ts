/** Runs one piece of work after another, in the order of asking. Who gave up waiting is passed over. */
export class OneAtATime {
  #last: Promise<unknown> = Promise.resolve();

  /** @throws what `work` throws, or the signal's reason if it aborted before the turn came */
  run<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(() => {
      signal.throwIfAborted();
      return work();
    });
    this.#last = turn.catch(() => {});
    return turn;
  }
}
