import type { Log } from "../../../src/log.ts";
import type { DeviceIdentity } from "../../../src/model/resource.ts";
import type { AdapterMemory } from "../../kind.ts";
import { LazyMap } from "../lazy-map.ts";

/** Longest part of a key; vendor, model and firmware are no longer in either version. */
const MAX_PART = 50;

/**
 * What was found out about a model of charger with one firmware, for all chargers of that model and over restarts. Of a charger
 * that has not said what it is, it is kept for that charger alone, as long as we run.
 */
export class ModelMemory {
  readonly #memory: AdapterMemory;
  readonly #owner: { readonly log: Log };
  readonly #own = new LazyMap<string, unknown>();
  #model: string | undefined;

  /** @param owner whose log is asked for when there is something to write */
  constructor(memory: AdapterMemory, owner: { readonly log: Log }) {
    this.#memory = memory;
    this.#owner = owner;
  }

  /** The charger said what it is. With another firmware it is another model. */
  identify(identity: DeviceIdentity): void {
    const { vendor, model, firmware } = identity;
    if (vendor === undefined || model === undefined) return;
    this.#model = [vendor, model, firmware ?? ""].map((part) => part.slice(0, MAX_PART)).join("|");
  }

  /** Vendor, model and firmware; absent as long as the charger did not say them. */
  get model(): string | undefined {
    return this.#model;
  }

  /** The JSON value; its shape is for the reader to check. */
  get(topic: string): unknown {
    return this.#model === undefined ? this.#own.get(topic) : this.#memory.get(this.#key(topic));
  }

  set(topic: string, value: unknown): void {
    if (this.#model === undefined) this.#own.set(topic, value);
    else this.#keep(this.#memory.set(this.#key(topic), value));
  }

  forget(topic: string): void {
    this.#own.delete(topic);
    if (this.#model !== undefined) this.#keep(this.#memory.forget(this.#key(topic)));
  }

  #key(topic: string): string {
    return `model/${topic}/${this.#model}`;
  }

  /** It can be read back at once; a disk that does not take it costs one more attempt after a restart. */
  #keep(writing: Promise<void>): void {
    writing.catch((error: unknown) =>
      this.#owner.log.warn("what worked with a charger could not be kept", { err: error }),
    );
  }
}
