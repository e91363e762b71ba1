import type { AdapterMemory } from "../kind.ts";
import { type DefaultControl, defaultControlSchema } from "./config.ts";
import type { Lfdi } from "./identity.ts";

/** Bounds that an operator changes; null takes one away, an absent one stays as it is. */
export type DefaultChanges = { readonly [Bound in keyof DefaultControl]?: number | null };

/** What holds for one device while no control does. What an operator sets goes before the config, also after a restart. */
export class DefaultBounds {
  readonly #configured: DefaultControl;
  readonly #memory: AdapterMemory;
  readonly #key: string;
  #set: DefaultControl | undefined;

  constructor(configured: DefaultControl | undefined, memory: AdapterMemory, lfdi: Lfdi) {
    this.#configured = configured ?? {};
    this.#memory = memory;
    this.#key = `defaultControl.${lfdi}`;
    this.#set = defaultControlSchema.safeParse(memory.get(this.#key)).data;
  }

  get bounds(): DefaultControl {
    return this.#set ?? this.#configured;
  }

  /** What an operator has set; no bound where it has set nothing. */
  get set(): DefaultControl {
    return this.#set ?? {};
  }

  /** True where an operator has set them. */
  get areSet(): boolean {
    return this.#set !== undefined;
  }

  /** @throws StoreError where the disk does not take it; then nothing has changed */
  async change(changes: DefaultChanges): Promise<void> {
    const after = Object.entries({ ...this.bounds, ...changes }).filter(([, bound]) => typeof bound === "number");
    const bounds = defaultControlSchema.parse(Object.fromEntries(after));
    await this.#memory.set(this.#key, bounds);
    this.#set = bounds;
  }

  /** Back to the config. @throws StoreError */
  async reset(): Promise<void> {
    await this.#memory.forget(this.#key);
    this.#set = undefined;
  }
}
