import type { Clock } from "../../../src/clock.ts";
import type { Stranger } from "../../kind.ts";

const MAX_STRANGERS = 50;

/** Who dialled in and was turned away, for the technician who wires up a new charger. Bounded; newest last. */
export class StrangerList {
  readonly #clock: Clock;
  readonly #seen = new Map<string, Stranger>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** @returns true the first time */
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
    return before === undefined;
  }

  list(): readonly Stranger[] {
    return [...this.#seen.values()];
  }
}

/** The identity came off the wire from nobody we know: no control characters, and not endless. */
function printable(identity: string): string {
  return identity.replace(/[^\x20-\x7e]/g, "?").slice(0, 48);
}
