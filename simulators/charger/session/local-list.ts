/** One driver of the list; without a status it is taken out (differential update). */
export interface ListEntry {
  readonly idTag: string;
  readonly status?: string;
}

const MOST_ENTRIES = 1000;

/** The local authorization list: who may charge while nobody can be asked. */
export class LocalList {
  #version = 0;
  #statusOf: ReadonlyMap<string, string> = new Map();

  /** 0 while there is none. */
  get version(): number {
    return this.#version;
  }

  get size(): number {
    return this.#statusOf.size;
  }

  get maxEntries(): number {
    return MOST_ENTRIES;
  }

  /** `Accepted` or why not, as the CSMS wrote it; nothing for a driver who is not listed. */
  statusOf(idTag: string): string | undefined {
    return this.#statusOf.get(idTag.toLowerCase());
  }

  /** Takes a whole list, or the changes to the one that is there. */
  update(
    kind: "Full" | "Differential",
    version: number,
    entries: readonly ListEntry[],
  ): "Accepted" | "Failed" | "VersionMismatch" {
    if (version <= 0 || (kind === "Differential" && version <= this.#version)) return "VersionMismatch";
    const next = new Map(kind === "Full" ? [] : this.#statusOf);
    for (const { idTag, status } of entries) {
      if (status === undefined) {
        if (kind === "Full") return "Failed";
        next.delete(idTag.toLowerCase());
      } else next.set(idTag.toLowerCase(), status);
    }
    if (next.size > MOST_ENTRIES) return "Failed";
    this.#statusOf = next;
    this.#version = version;
    return "Accepted";
  }
}
