import type { Clock } from "../../../src/clock.ts";
import { LazySet } from "../lazy-map.ts";
import type { ChargerEvent } from "../messages/events.ts";

/** Why a wait ended; without a reason of ours each abort makes an exception with its stack. */
const OVER = "no longer waited for";

interface Waiter {
  readonly isMet: (event: ChargerEvent) => boolean;
  readonly met: (event: ChargerEvent) => void;
}

interface AwaitedEvent {
  /** Nothing when the time is over. Rejects with the signal's reason when that aborts. */
  readonly event: Promise<ChargerEvent | undefined>;
  giveUp(): void;
}

/** Waits for what a charger tells. */
export class AwaitedEvents {
  readonly #clock: Clock;
  readonly #waiters = new LazySet<Waiter>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  tell(event: ChargerEvent): void {
    for (const waiter of [...this.#waiters]) if (waiter.isMet(event)) waiter.met(event);
  }

  /** Begins to wait at once, since the event may come before the answer to what caused it. */
  next(isMet: Waiter["isMet"], timeoutMs: number, signal: AbortSignal): AwaitedEvent {
    const over = new AbortController();
    let found: ChargerEvent | undefined;
    const waiter: Waiter = {
      isMet,
      met: (event) => {
        found = event;
        over.abort(OVER);
      },
    };
    this.#waiters.add(waiter);
    const waited = this.#clock.sleep(timeoutMs, AbortSignal.any([over.signal, signal])).catch(() => {});
    const event = waited.then(() => {
      this.#waiters.delete(waiter);
      if (found === undefined && !over.signal.aborted) signal.throwIfAborted();
      return found;
    });
    // Whoever fails before it comes to wait has given up already.
    event.catch(() => {});
    return { event, giveUp: () => over.abort(OVER) };
  }
}
