/** Most signatures that are remembered; a site sends a few a minute. */
const LIMIT = 1000;

/**
 * Signatures of the messages we sent, so that an answer which covers one can be checked. Kept in memory only: after a
 * restart such an answer is refused and its sender tries again or the offer times out.
 */
export class SentSignatures {
  readonly #byKey = new Map<string, string>();

  remember(message: { messageId: string; transactionId: string; action: string }, signature: string): void {
    // An answer should carry the id of the request, but samples in use make a new one: the transaction finds those.
    this.#keep(`m|${message.messageId}`, signature);
    this.#keep(`t|${message.transactionId}|${message.action}`, signature);
  }

  /** The signature of the request that a callback such as `on_confirm` answers. */
  find(callback: { messageId: string; transactionId: string; action: string }): string | undefined {
    return (
      this.#byKey.get(`m|${callback.messageId}`) ??
      this.#byKey.get(`t|${callback.transactionId}|${callback.action.replace(/^on_/, "")}`)
    );
  }

  #keep(key: string, signature: string): void {
    this.#byKey.delete(key);
    this.#byKey.set(key, signature);
    for (const oldest of this.#byKey.keys()) {
      if (this.#byKey.size <= LIMIT) break;
      this.#byKey.delete(oldest);
    }
  }
}
