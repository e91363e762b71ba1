import type { AdapterMemory } from "../../adapters/kind.ts";
import type { Clock } from "../clock.ts";
import type { MemoryEntry } from "./control-store.ts";

/** Facts that one adapter may keep; beyond them the one that was written longest ago goes. */
const MAX_ENTRIES = 5_000;
const MAX_VALUE_CHARS = 64 * 1024;
const MAX_KEY_CHARS = 256;

/** The part of the store that this needs. */
export interface MemoryStore {
  remember(entry: MemoryEntry): Promise<void>;
  forget(adapter: string, key: string): Promise<void>;
  memories(): Promise<readonly MemoryEntry[]>;
}

/**
 * What adapters keep over a restart. It is read once, at the start, and held in memory: an adapter asks for it in the middle
 * of a message.
 */
export class AdapterMemories {
  readonly #store: MemoryStore;
  readonly #clock: Clock;
  /** By adapter, then key; each map in the order of writing. */
  readonly #values = new Map<string, Map<string, string>>();

  private constructor(store: MemoryStore, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
  }

  static async open(store: MemoryStore, clock: Clock): Promise<AdapterMemories> {
    const memories = new AdapterMemories(store, clock);
    for (const entry of await store.memories()) memories.#of(entry.adapter).set(entry.key, entry.value);
    return memories;
  }

  /** The memory of one adapter; it sees nothing of the others. */
  of(adapter: string): AdapterMemory {
    const values = this.#of(adapter);
    return {
      get: (key) => {
        const text = values.get(key);
        return text === undefined ? undefined : (JSON.parse(text) as unknown);
      },
      keys: (prefix) => [...values.keys()].filter((key) => key.startsWith(prefix)),
      set: (key, value) => this.#set(adapter, key, value),
      forget: async (key) => {
        if (values.delete(key)) await this.#store.forget(adapter, key);
      },
    };
  }

  async #set(adapter: string, key: string, value: unknown): Promise<void> {
    const text = JSON.stringify(value);
    if (text === undefined) throw new TypeError(`${adapter}: what is kept under "${key}" must be JSON`);
    if (key.length > MAX_KEY_CHARS) throw new RangeError(`${adapter}: a key of more than ${MAX_KEY_CHARS} letters`);
    if (text.length > MAX_VALUE_CHARS) {
      throw new RangeError(`${adapter}: what is kept under "${key}" is longer than ${MAX_VALUE_CHARS} letters`);
    }
    const values = this.#of(adapter);
    if (values.get(key) === text) return;
    values.delete(key);
    values.set(key, text);
    const oldest = values.keys().next();
    if (values.size > MAX_ENTRIES && !oldest.done) {
      values.delete(oldest.value);
      await this.#store.forget(adapter, oldest.value);
    }
    await this.#store.remember({ adapter, key, value: text, updatedAtMs: this.#clock.now() });
  }

  #of(adapter: string): Map<string, string> {
    const known = this.#values.get(adapter);
    if (known !== undefined) return known;
    const values = new Map<string, string>();
    this.#values.set(adapter, values);
    return values;
  }
}
