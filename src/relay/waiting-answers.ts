import type { Answer } from "../market/answer.ts";
import { MAX_MESSAGE_BYTES } from "../market/message-body.ts";
import { parseStrictJson } from "../market/strict-json.ts";

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

interface SiteAnswer extends Answer {
  readonly messageId: string | undefined;
}

/** `{message_id, transaction_id, action, httpStatus, …}`: what stands beside the four is the body that the market gets. */
function readAnswer(payload: Uint8Array): SiteAnswer | undefined {
  if (payload.length > MAX_MESSAGE_BYTES) return undefined;
  const json = parseStrictJson(payload);
  if (!json.ok || typeof json.value !== "object" || json.value === null || Array.isArray(json.value)) return undefined;
  const {
    message_id,
    transaction_id: _transaction,
    action: _action,
    httpStatus,
    ...body
  } = json.value as Record<string, unknown>;
  if (typeof httpStatus !== "number" || !Number.isInteger(httpStatus) || httpStatus < 200 || httpStatus > 599) {
    return undefined;
  }
  const messageId = typeof message_id === "string" ? message_id : undefined;
  return { status: httpStatus, body: JSON.stringify(body), messageId };
}
