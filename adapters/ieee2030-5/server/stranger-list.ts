import type { Clock } from "../../../src/clock.ts";
import type { Stranger } from "../../kind.ts";
import type { Lfdi } from "../identity.ts";

const MOST_STRANGERS = 100;

/** Devices with a good certificate that nobody configured, newest last, one entry each. */
export class StrangerList {
  readonly #clock: Clock;
  readonly #byLfdi = new Map<Lfdi, Stranger>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** @returns true if it was not on the list before */
  note(lfdi: Lfdi, address: string): boolean {
    const before = this.#byLfdi.get(lfdi);
    const nowMs = this.#clock.now();
    this.#byLfdi.delete(lfdi);
    this.#byLfdi.set(lfdi, {
      identity: lfdi,
      address,
      firstSeenMs: before?.firstSeenMs ?? nowMs,
      lastSeenMs: nowMs,
      attempts: (before?.attempts ?? 0) + 1,
      reason: "no device with this LFDI is configured",
    });
    const oldest = this.#byLfdi.keys().next();
    if (this.#byLfdi.size > MOST_STRANGERS && oldest.done !== true) this.#byLfdi.delete(oldest.value);
    return before === undefined;
  }

  list(): readonly Stranger[] {
    return [...this.#byLfdi.values()];
  }
}
