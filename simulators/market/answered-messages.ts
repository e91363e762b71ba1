import { createHash } from "node:crypto";
import type { Answer } from "./answer.ts";

const LIMIT = 5000;

/** Messages already answered, so that a repeat gets the same answer and has no second effect. The oldest go first. */
export class AnsweredMessages {
  readonly #byId = new Map<string, { digest: string; answer: Answer }>();

  /** The earlier answer; `conflict` if the same id came with another body; nothing if it is new. */
  find(senderId: string, messageId: string, raw: Buffer): Answer | "conflict" | undefined {
    const earlier = this.#byId.get(`${senderId}|${messageId}`);
    if (earlier === undefined) return undefined;
    return earlier.digest === digestOf(raw) ? earlier.answer : "conflict";
  }

  keep(senderId: string, messageId: string, raw: Buffer, answer: Answer): void {
    this.#byId.set(`${senderId}|${messageId}`, { digest: digestOf(raw), answer });
    for (const oldest of this.#byId.keys()) {
      if (this.#byId.size <= LIMIT) break;
      this.#byId.delete(oldest);
    }
  }
}

function digestOf(raw: Buffer): string {
  return createHash("sha256").update(raw).digest("base64");
}
