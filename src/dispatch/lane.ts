/**
 * One job runs, at most one waits, and the newest wins: a slow device gets the latest order, never a queue of old ones.
 */
export class Lane<T> {
  readonly #work: (value: T) => Promise<void>;
  #waiting: { readonly value: T } | undefined;
  #draining: Promise<void> | undefined;

  /** @param work must not reject; an error inside is the work's own to handle */
  constructor(work: (value: T) => Promise<void>) {
    this.#work = work;
  }

  submit(value: T): void {
    this.#waiting = { value };
    this.#draining ??= this.#drain();
  }

  /** Resolves when nothing runs and nothing waits. */
  async idle(): Promise<void> {
    await this.#draining;
  }

  async #drain(): Promise<void> {
    while (this.#waiting !== undefined) {
      const { value } = this.#waiting;
      this.#waiting = undefined;
      await this.#work(value);
    }
    this.#draining = undefined;
  }
}
