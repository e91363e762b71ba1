/** One line at the bottom of a person's terminal that says how far it is; a script reads nothing of it. */
export class ProgressLine {
  readonly #stream: NodeJS.WriteStream;
  #isShown = false;

  constructor(stream: NodeJS.WriteStream = process.stderr) {
    this.#stream = stream;
  }

  /** In place of what it said before. */
  show(text: string): void {
    if (!this.#stream.isTTY) return;
    this.#isShown = true;
    this.#stream.write(`\r\u001b[2K${text.slice(0, (this.#stream.columns ?? 80) - 1)}`);
  }

  /** Gone, so that something else may be said. */
  clear(): void {
    if (this.#isShown) this.#stream.write("\r\u001b[2K");
    this.#isShown = false;
  }
}
