import { type Clock, repeatEvery } from "../../../src/clock.ts";

const LOOK_MS = 1000;

/** What is looked at from time to time. */
export interface Watched {
  /** @param nowMs elapsed */
  look(nowMs: number): void;
}

/** One timer for all connections: keepalives, silent chargers, handshakes that take too long. */
export class LinkWatch {
  readonly #watched = new Set<Watched>();

  add(watched: Watched): void {
    this.#watched.add(watched);
  }

  remove(watched: Watched): void {
    this.#watched.delete(watched);
  }

  /** Looks at each of them every second until `signal` aborts. */
  run(clock: Clock, signal: AbortSignal): Promise<void> {
    return repeatEvery(clock, LOOK_MS, signal, () => {
      const nowMs = clock.elapsedMs();
      for (const watched of this.#watched) watched.look(nowMs);
    });
  }
}
