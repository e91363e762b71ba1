/** What a technician should know of a device, by topic, so that each is taken back when it is over. */
export class Notices {
  readonly #tell: (notices: readonly string[]) => void;
  readonly #notices = new Map<string, string>();

  constructor(tell: (notices: readonly string[]) => void) {
    this.#tell = tell;
  }

  /** @param text absent when there is nothing to say of the topic any more */
  set(topic: string, text: string | undefined): void {
    if (this.#notices.get(topic) === text) return;
    if (text === undefined) this.#notices.delete(topic);
    else this.#notices.set(topic, text);
    this.#tell([...this.#notices.values()]);
  }
}
