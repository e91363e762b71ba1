import type { ControlStore } from "../store/control-store.ts";

/** Most signatures that are remembered; a site sends a few a minute. */
const LIMIT = 1000;

/**
 * Signatures of the messages we sent, so that an answer which covers one can be checked. The store has those of what was
 * delivered, so that an answer may come after a restart.
 */
export class SentSignatures {
  readonly #byKey = new Map<string, string>();

  /** Takes over what the store has of the time before a restart. */
  async load(store: Pick<ControlStore, "sentSignatures">): Promise<void> {
    for (const sent of await store.sentSignatures(LIMIT)) this.remember(sent, sent.signature);
  }

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
