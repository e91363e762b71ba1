import type { OcpiObject } from "./ocpi-schemas.ts";
import {
  keyText,
  type OcpiKey,
  type OcpiPage,
  type OcpiQuery,
  type OcpiRegistration,
  type OcpiStore,
} from "./ocpi-store.ts";
import { msFromOcpiTime } from "./ocpi-time.ts";

export interface OcpiStoreBounds {
  /** Objects of one module and side. */
  readonly maxObjects: number;
  /** JSON text of all objects together. */
  readonly maxBytes: number;
}

export const DEFAULT_BOUNDS: OcpiStoreBounds = { maxObjects: 10_000, maxBytes: 64 * 1024 * 1024 };

interface Kept {
  readonly key: OcpiKey;
  readonly object: OcpiObject;
  readonly bytes: number;
}

/** Objects in memory: gone when the program ends. A full store takes nothing new and forgets nothing by itself. */
export class MemoryOcpiStore implements OcpiStore {
  readonly #bounds: OcpiStoreBounds;
  /** A map keeps the order of first insertion, which is the order of pages. */
  readonly #lists = new Map<string, Map<string, Kept>>();
  readonly #registrations = new Map<string, OcpiRegistration>();
  #bytes = 0;

  constructor(bounds: OcpiStoreBounds = DEFAULT_BOUNDS) {
    this.#bounds = bounds;
  }

  get(key: OcpiKey): OcpiObject | undefined {
    return this.#listOf(key).get(keyText(key))?.object;
  }

  list(query: OcpiQuery): OcpiPage {
    const objects: OcpiObject[] = [];
    let total = 0;
    for (const { object } of this.#listOf(query).values()) {
      if (!isWithin(object, query) || query.isVisible?.(object) === false) continue;
      if (total >= query.offset && objects.length < query.limit) objects.push(object);
      total += 1;
    }
    return { objects, total };
  }

  async put(key: OcpiKey, object: OcpiObject): Promise<"created" | "replaced"> {
    return this.putNow(key, object, Buffer.byteLength(JSON.stringify(object)));
  }

  /** As `put`, at once. @throws RangeError when the store is full */
  putNow(key: OcpiKey, object: OcpiObject, bytes: number): "created" | "replaced" {
    const list = this.#listOf(key);
    const text = keyText(key);
    const before = list.get(text);
    if (before === undefined && list.size >= this.#bounds.maxObjects) {
      throw new RangeError(`no more than ${this.#bounds.maxObjects} ${key.module} are kept`);
    }
    const total = this.#bytes - (before?.bytes ?? 0) + bytes;
    if (total > this.#bounds.maxBytes) throw new RangeError(`no more than ${this.#bounds.maxBytes} bytes are kept`);
    this.#bytes = total;
    list.set(text, { key, object, bytes });
    return before === undefined ? "created" : "replaced";
  }

  async remove(key: OcpiKey): Promise<boolean> {
    return this.removeNow(key);
  }

  /** As `remove`, at once. */
  removeNow(key: OcpiKey): boolean {
    const list = this.#listOf(key);
    const text = keyText(key);
    this.#bytes -= list.get(text)?.bytes ?? 0;
    return list.delete(text);
  }

  registration(peer: string): OcpiRegistration | undefined {
    return this.#registrations.get(peer);
  }

  async register(registration: OcpiRegistration): Promise<void> {
    this.#registrations.set(registration.peer, registration);
  }

  /** All that is kept, each list in its order. */
  *everything(): Generator<{ readonly key: OcpiKey; readonly object: OcpiObject }> {
    for (const list of this.#lists.values()) yield* list.values();
  }

  registrations(): Iterable<OcpiRegistration> {
    return this.#registrations.values();
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  #listOf({ side, version, module }: Pick<OcpiKey, "side" | "version" | "module">): Map<string, Kept> {
    const name = `${side} ${version} ${module}`;
    let list = this.#lists.get(name);
    if (list === undefined) {
      list = new Map();
      this.#lists.set(name, list);
    }
    return list;
  }
}

function isWithin(object: OcpiObject, { fromMs, toMs }: OcpiQuery): boolean {
  if (fromMs === undefined && toMs === undefined) return true;
  const updatedMs = msFromOcpiTime(String(object["last_updated"])) ?? 0;
  return (fromMs === undefined || updatedMs >= fromMs) && (toMs === undefined || updatedMs < toMs);
}
