import type { Clock } from "../../../src/clock.ts";
import type { Stranger } from "../../kind.ts";

const MAX_STRANGERS = 50;

/** New names in a minute that are worth a line in the log; whoever invents them has no end of them. */
const TOLD_IN_A_MINUTE = 20;

/** Who dialled in and was turned away, for the technician who wires up a new charger. Bounded; newest last. */
export class StrangerList {
  readonly #clock: Clock;
  readonly #seen = new Map<string, Stranger>();
  #told = 0;
  #tellingSinceMs = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** @returns true the first time, unless there are too many first times */
  note(rawIdentity: string, address: string, reason: string): boolean {
    const identity = printable(rawIdentity);
    const nowMs = this.#clock.now();
    const before = this.#seen.get(identity);
    this.#seen.delete(identity);
    this.#seen.set(identity, {
      identity,
      address,
      firstSeenMs: before?.firstSeenMs ?? nowMs,
      lastSeenMs: nowMs,
      attempts: (before?.attempts ?? 0) + 1,
      reason,
    });
    const oldest = this.#seen.keys().next();
    if (this.#seen.size > MAX_STRANGERS && !oldest.done) this.#seen.delete(oldest.value);
    return before === undefined && this.#mayTell();
  }

  get(identity: string): Stranger | undefined {
    return this.#seen.get(identity);
  }

  forget(identity: string): void {
    this.#seen.delete(identity);
  }

  list(): readonly Stranger[] {
    return [...this.#seen.values()];
  }

  #mayTell(): boolean {
    const nowMs = this.#clock.elapsedMs();
    if (this.#told === 0 || nowMs - this.#tellingSinceMs > 60_000) {
      this.#told = 0;
      this.#tellingSinceMs = nowMs;
    }
    this.#told += 1;
    return this.#told <= TOLD_IN_A_MINUTE;
  }
}

/** The identity came off the wire from nobody we know: no control characters, and not endless. */
function printable(identity: string): string {
  return identity.replace(/[^\x20-\x7e]/g, "?").slice(0, 48);
}
