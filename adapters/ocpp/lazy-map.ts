/**
 * A map that takes no room while nothing is in it. An empty `Map` is 190 bytes, and each of thousands of chargers has a dozen that
 * are empty nearly always.
 */
export class LazyMap<Key, Value> {
  #map: Map<Key, Value> | undefined;

  get size(): number {
    return this.#map?.size ?? 0;
  }

  get(key: Key): Value | undefined {
    return this.#map?.get(key);
  }

  has(key: Key): boolean {
    return this.#map?.has(key) ?? false;
  }

  set(key: Key, value: Value): void {
    this.#map ??= new Map();
    this.#map.set(key, value);
  }

  delete(key: Key): boolean {
    const was = this.#map?.delete(key) ?? false;
    if (this.#map?.size === 0) this.#map = undefined;
    return was;
  }

  /** Keys in the order in which they came. */
  keys(): IterableIterator<Key> {
    return (this.#map ?? NOTHING).keys() as IterableIterator<Key>;
  }

  values(): IterableIterator<Value> {
    return (this.#map ?? NOTHING).values() as IterableIterator<Value>;
  }

  [Symbol.iterator](): IterableIterator<[Key, Value]> {
    return (this.#map ?? NOTHING)[Symbol.iterator]() as IterableIterator<[Key, Value]>;
  }
}

/** A set that takes no room while nothing is in it, as `LazyMap`. */
export class LazySet<Value> {
  #set: Set<Value> | undefined;

  get size(): number {
    return this.#set?.size ?? 0;
  }

  has(value: Value): boolean {
    return this.#set?.has(value) ?? false;
  }

  add(value: Value): void {
    this.#set ??= new Set();
    this.#set.add(value);
  }

  delete(value: Value): boolean {
    const was = this.#set?.delete(value) ?? false;
    if (this.#set?.size === 0) this.#set = undefined;
    return was;
  }

  clear(): void {
    this.#set = undefined;
  }

  [Symbol.iterator](): IterableIterator<Value> {
    return (this.#set ?? NONE)[Symbol.iterator]() as IterableIterator<Value>;
  }
}

const NOTHING: ReadonlyMap<unknown, unknown> = new Map();
const NONE: ReadonlySet<unknown> = new Set();
