import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import type { Clock } from "../../../src/clock.ts";
import type { Credential } from "./credential.ts";
import { type PasswordHash, passwordMatches } from "./password-hash.ts";

/** `busy`: not checked, since too much waits already; the charger comes again. */
export type PasswordVerdict = "right" | "wrong" | "busy";

/** Hashes that wait to be worked out; more chargers than that come again a little later. */
const MAX_WAITING = 64;

/** Wrong passwords remembered for one charger: one that is set up wrongly sends the same one all night. */
const WRONG_KEPT = 4;

interface Known {
  right?: Buffer;
  readonly wrong: Buffer[];
}

/**
 * Checks passwords without holding up anything else. A hash is worked out on another thread, one at a time, and after a
 * wrong one as long is rested, so that a flood of logins takes at most half of one core. What was right once is kept as a
 * keyed digest in memory, and from then on no hash is worked out for that charger, whatever is tried.
 */
export class PasswordCheck {
  readonly #clock: Clock;
  /** Digests are of no use outside this process. */
  readonly #key = randomBytes(32);
  readonly #known = new Map<string, Known>();
  readonly #underWay = new Set<string>();
  #last: Promise<void> = Promise.resolve();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  async check(identity: string, credential: Credential, given: Buffer): Promise<PasswordVerdict> {
    const digest = this.#digest(given);
    if (credential.kind === "secret") {
      return timingSafeEqual(digest, this.#digest(credential.bytes)) ? "right" : "wrong";
    }
    const known = this.#known.get(identity);
    if (known?.right !== undefined) return timingSafeEqual(digest, known.right) ? "right" : "wrong";
    if (known?.wrong.some((one) => timingSafeEqual(digest, one))) return "wrong";
    if (this.#underWay.has(identity) || this.#underWay.size >= MAX_WAITING) return "busy";
    this.#underWay.add(identity);
    try {
      const isRight = await this.#inTurn(given, credential.hash);
      this.#remember(identity, digest, isRight);
      return isRight ? "right" : "wrong";
    } finally {
      this.#underWay.delete(identity);
    }
  }

  /** For a charger that is no longer there, or that has a new password. */
  forget(identity: string): void {
    this.#known.delete(identity);
  }

  async #inTurn(given: Buffer, hash: PasswordHash): Promise<boolean> {
    const before = this.#last;
    let done = () => {};
    this.#last = new Promise((resolve) => {
      done = resolve;
    });
    await before;
    const beganMs = this.#clock.elapsedMs();
    let isRight = false;
    try {
      isRight = await passwordMatches(given, hash);
    } finally {
      if (isRight) done();
      else this.#clock.sleep(this.#clock.elapsedMs() - beganMs).then(done, done);
    }
    return isRight;
  }

  #remember(identity: string, digest: Buffer, isRight: boolean): void {
    const known = this.#known.get(identity) ?? { wrong: [] };
    if (isRight) known.right = digest;
    else known.wrong.push(digest);
    if (known.wrong.length > WRONG_KEPT) known.wrong.shift();
    this.#known.set(identity, known);
  }

  #digest(password: Buffer): Buffer {
    return createHmac("sha256", this.#key).update(password).digest();
  }
}
