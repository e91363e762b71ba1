import type { Answer } from "../market/answer.ts";
import { readAnswer } from "../market/mqtt-envelope.ts";

/** Messages that may wait for their sites at the same time. */
const MAX_WAITING = 1000;

/**
 * Answers that are awaited from sites, by the correlation data of the request (MQTT 5) or by the message's id (3.1.1,
 * which has none).
 */
export class WaitingAnswers {
  readonly #waiting = new Map<string, { readonly messageKey: string; readonly resolve: (answer: Answer) => void }>();

  get full(): boolean {
    return this.#waiting.size >= MAX_WAITING;
  }

  /** Resolves with the site's answer; `forget` ends the wait. */
  expect(correlation: string, site: string, messageId: string): Promise<Answer> {
    return new Promise((resolve) => {
      this.#waiting.set(correlation, { messageKey: `${site}|${messageId}`, resolve });
    });
  }

  forget(correlation: string): void {
    this.#waiting.delete(correlation);
  }

  /** Takes what came on a site's answer topic; anything that is no answer to us is left alone. */
  take(site: string, payload: Uint8Array, correlation: string | undefined): void {
    const answer = readAnswer(payload);
    if (answer === undefined) return;
    if (correlation !== undefined) {
      const waiting = this.#waiting.get(correlation);
      // The site's own topic must not settle the wait of another site.
      if (waiting?.messageKey.startsWith(`${site}|`)) waiting.resolve(answer);
      return;
    }
    if (answer.messageId === undefined) return;
    const key = `${site}|${answer.messageId}`;
    // One message sent twice waits twice, and has one answer.
    for (const waiting of this.#waiting.values()) if (waiting.messageKey === key) waiting.resolve(answer);
  }
}
