import { randomInt } from "node:crypto";
import { z } from "zod";
import type { AdapterMemory } from "../../kind.ts";

const reservation = z.object({ reservationId: z.int(), untilMs: z.number() });

type Kept = z.infer<typeof reservation>;

/** The reservation of one connector. A charger keeps one over our restart, so we do too. */
export class ReservationBook {
  readonly #memory: AdapterMemory;
  readonly #key: string;
  readonly #now: () => number;

  constructor(identity: string, connector: number, memory: AdapterMemory, now: () => number) {
    this.#memory = memory;
    this.#key = `reservation/${identity}/${connector}`;
    this.#now = now;
  }

  /** The one that holds; nothing once its time is over. */
  get current(): Kept | undefined {
    const kept = reservation.safeParse(this.#memory.get(this.#key));
    return kept.success && kept.data.untilMs > this.#now() ? kept.data : undefined;
  }

  /** A number for the next one. A charger that gets the number of one that it has replaces it. */
  nextId(): number {
    return this.current?.reservationId ?? randomInt(1, 2 ** 31 - 1);
  }

  async keep(reservationId: number, untilMs: number): Promise<void> {
    await this.#memory.set(this.#key, { reservationId, untilMs });
  }

  /** @returns true if it was this one */
  async drop(reservationId: number): Promise<boolean> {
    if (this.current?.reservationId !== reservationId) return false;
    await this.#memory.forget(this.#key);
    return true;
  }
}
