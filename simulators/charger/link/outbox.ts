/** A message about a transaction. It waits while the link is down and then goes out in order. */
export interface Outgoing {
  readonly action: string;
  /** A lost meter value is a gap, a lost start or stop is a wrong bill: only the first kind is ever dropped for space. */
  readonly kind: "meter" | "transaction";
  /** Made when it is sent, since only then the CSMS may have said which id the transaction has. */
  payload(): Record<string, unknown>;
  /** Called with the answer, or with nothing when the CSMS refused it for good. */
  answered?(answer: unknown): void;
}

const MOST_MESSAGES = 500;
const MOST_ATTEMPTS = 3;

/** Bounded queue of transaction messages. */
export class Outbox {
  readonly #waiting: { readonly message: Outgoing; attempts: number }[] = [];

  get size(): number {
    return this.#waiting.length;
  }

  /** False if a meter value, or failing that the oldest message, had to go to make room. */
  push(message: Outgoing): boolean {
    this.#waiting.push({ message, attempts: 0 });
    if (this.#waiting.length <= MOST_MESSAGES) return true;
    const oldestMeter = this.#waiting.findIndex((entry) => entry.message.kind === "meter");
    this.#waiting.splice(Math.max(0, oldestMeter), 1);
    return false;
  }

  /**
   * Sends the oldest message; it leaves the queue when it was answered, or refused too often.
   * @throws whatever `send` throws, with the message still in its place
   */
  async sendOldest(send: (action: string, payload: Record<string, unknown>) => Promise<unknown>): Promise<void> {
    const entry = this.#waiting[0];
    if (entry === undefined) return;
    let answer: unknown;
    try {
      answer = await send(entry.message.action, entry.message.payload());
    } catch (error) {
      entry.attempts += 1;
      if (entry.attempts >= MOST_ATTEMPTS) this.#settle(entry, undefined);
      throw error;
    }
    this.#settle(entry, answer);
  }

  /** The link broke: what was tried then counts for nothing. */
  forgetAttempts(): void {
    for (const entry of this.#waiting) entry.attempts = 0;
  }

  #settle(entry: { readonly message: Outgoing; attempts: number }, answer: unknown): void {
    // While it was on its way it may have been dropped for space.
    const index = this.#waiting.indexOf(entry);
    if (index >= 0) this.#waiting.splice(index, 1);
    entry.message.answered?.(answer);
  }
}
