import { z } from "zod";
import type { AdapterMemory } from "../../kind.ts";
import type { Lfdi } from "../identity.ts";
import type { SubscriptionTerms } from "./subscription-document.ts";

/** One subscription of a device. */
export interface Subscription {
  /** Its place under the list's address. */
  readonly id: number;
  readonly terms: SubscriptionTerms;
}

/** Enough for one of each resource that can be subscribed to, twice. */
export const MOST_SUBSCRIPTIONS = 16;

const kept = z.array(
  z.object({
    id: z.int().min(1),
    terms: z.object({ resource: z.string(), limit: z.int().min(0), level: z.string(), notificationURI: z.string() }),
  }),
);

/** Where they are kept, with the LFDI behind it. */
export const SUBSCRIPTIONS_KEY = "subscriptions.";

/** What one device has subscribed to. It outlives a restart, since devices renew only once a day. */
export class Subscriptions {
  readonly #memory: AdapterMemory;
  readonly #key: string;
  #items: readonly Subscription[];

  constructor(memory: AdapterMemory, lfdi: Lfdi) {
    this.#memory = memory;
    this.#key = `${SUBSCRIPTIONS_KEY}${lfdi}`;
    this.#items = kept.safeParse(memory.get(this.#key)).data ?? [];
  }

  get items(): readonly Subscription[] {
    return this.#items;
  }

  find(id: number): Subscription | undefined {
    return this.#items.find((item) => item.id === id);
  }

  /**
   * Takes a subscription; one for the same resource and address renews the one that is there.
   * @returns nothing where there are too many
   */
  add(terms: SubscriptionTerms): { readonly id: number; readonly isNew: boolean } | undefined {
    const known = this.#items.find(
      (item) => item.terms.resource === terms.resource && item.terms.notificationURI === terms.notificationURI,
    );
    if (known !== undefined) {
      this.replace(known.id, terms);
      return { id: known.id, isNew: false };
    }
    if (this.#items.length >= MOST_SUBSCRIPTIONS) return undefined;
    const id = Math.max(0, ...this.#items.map((item) => item.id)) + 1;
    this.#keep([...this.#items, { id, terms }]);
    return { id, isNew: true };
  }

  replace(id: number, terms: SubscriptionTerms): void {
    this.#keep(this.#items.map((item) => (item.id === id ? { id, terms } : item)));
  }

  /** @returns false if there is none */
  remove(id: number): boolean {
    const left = this.#items.filter((item) => item.id !== id);
    if (left.length === this.#items.length) return false;
    this.#keep(left);
    return true;
  }

  #keep(items: readonly Subscription[]): void {
    this.#items = items;
    // Where the disk does not take it the device subscribes anew after a restart; nothing else is lost.
    this.#memory.set(this.#key, items).catch(() => {});
  }
}
