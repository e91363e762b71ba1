import type { Log } from "../../../src/log.ts";
import type { DeviceIdentity } from "../../../src/model/resource.ts";
import type { AdapterMemory } from "../../kind.ts";

/** Longest part of a key; vendor, model and firmware are no longer in either version. */
const MAX_PART = 50;

/**
 * What was found out about a model of charger with one firmware, for all chargers of that model and over restarts. Of a charger
 * that has not said what it is, it is kept for that charger alone, as long as we run.
 */
export class ModelMemory {
  readonly #memory: AdapterMemory;
  readonly #owner: { readonly log: Log };
  #own: Map<string, unknown> | undefined;
  /** The last in which the charger said which model it is. */
  #identity: DeviceIdentity | undefined;

  /** @param owner whose log is asked for when there is something to write */
  constructor(memory: AdapterMemory, owner: { readonly log: Log }) {
    this.#memory = memory;
    this.#owner = owner;
  }

  /** The charger said what it is. With another firmware it is another model. */
  identify(identity: DeviceIdentity): void {
    if (identity.vendor !== undefined && identity.model !== undefined) this.#identity = identity;
  }

  /** Vendor, model and firmware; absent as long as the charger did not say them. */
  get model(): string | undefined {
    if (this.#identity === undefined) return undefined;
    const { vendor = "", model = "", firmware = "" } = this.#identity;
    return [vendor, model, firmware].map((part) => part.slice(0, MAX_PART)).join("|");
  }

  /** The JSON value; its shape is for the reader to check. */
  get(topic: string): unknown {
    return this.#identity === undefined ? this.#own?.get(topic) : this.#memory.get(this.#key(topic));
  }

  set(topic: string, value: unknown): void {
    if (this.#identity !== undefined) {
      this.#keep(this.#memory.set(this.#key(topic), value));
      return;
    }
    this.#own ??= new Map();
    this.#own.set(topic, value);
  }

  forget(topic: string): void {
    this.#own?.delete(topic);
    if (this.#identity !== undefined) this.#keep(this.#memory.forget(this.#key(topic)));
  }

  #key(topic: string): string {
    return `model/${topic}/${this.model}`;
  }

  /** It can be read back at once; a disk that does not take it costs one more attempt after a restart. */
  #keep(writing: Promise<void>): void {
    writing.catch((error: unknown) =>
      this.#owner.log.warn("what worked with a charger could not be kept", { err: error }),
    );
  }
}
