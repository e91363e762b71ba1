import { createHmac, randomBytes } from "node:crypto";
import type { AdapterMemory } from "../../kind.ts";

const SECRET_KEY = "token-secret";

/**
 * Names cards and keys in what is kept and shown. Who charged when is personal data, and a card's number is short enough
 * to be tried through, so a record holds a keyed hash: the same card has the same name at this site, and its number
 * cannot be found without the site's own secret.
 */
export class TokenHash {
  readonly #secret: Buffer;

  constructor(memory: AdapterMemory) {
    const kept = memory.get(SECRET_KEY);
    if (typeof kept === "string" && kept.length > 0) {
      this.#secret = Buffer.from(kept, "base64");
      return;
    }
    this.#secret = randomBytes(32);
    // Should the disk not take it, the names of this run are different from those of the next one.
    memory.set(SECRET_KEY, this.#secret.toString("base64")).catch(() => {});
  }

  /** 12 hex digits. Cards are compared without regard to case (both standards). */
  of(token: string): string {
    return createHmac("sha256", this.#secret).update(token.toLowerCase()).digest("hex").slice(0, 12);
  }
}
