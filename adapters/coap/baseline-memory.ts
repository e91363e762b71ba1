import type { Era } from "../../src/model/resource.ts";
import type { AdapterMemory } from "../kind.ts";
import type { HeldPoints } from "./profile/held-points.ts";
import type { PointValue } from "./profile/point-value.ts";

/** What a device held before our first write; survives a crash, so that the device gets it back all the same. */
export class BaselineMemory {
  readonly #memory: AdapterMemory;
  readonly #key: string;

  constructor(memory: AdapterMemory, era: Era) {
    this.#memory = memory;
    this.#key = `baseline ${era}`;
  }

  /** Absent where nothing of ours is in the device. */
  get(): HeldPoints | undefined {
    const kept = this.#memory.get(this.#key);
    return Array.isArray(kept) ? kept.filter(isEntry) : undefined;
  }

  /** Resolves when the disk has it, which is before the first write goes out. */
  async keep(baseline: HeldPoints): Promise<void> {
    await this.#memory.set(this.#key, baseline);
  }

  async forget(): Promise<void> {
    await this.#memory.forget(this.#key);
  }
}

function isEntry(entry: unknown): entry is readonly [string, PointValue] {
  return (
    Array.isArray(entry) && typeof entry[0] === "string" && ["number", "string", "boolean"].includes(typeof entry[1])
  );
}
