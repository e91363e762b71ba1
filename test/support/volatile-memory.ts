import type { AdapterMemory } from "../../adapters/kind.ts";

/** A memory that ends with the test; what goes in comes out as JSON, as with the real one. */
export function volatileMemory(): AdapterMemory {
  const values = new Map<string, string>();
  return {
    get: (key) => {
      const text = values.get(key);
      return text === undefined ? undefined : (JSON.parse(text) as unknown);
    },
    keys: (prefix) => [...values.keys()].filter((key) => key.startsWith(prefix)),
    set: async (key, value) => void values.set(key, JSON.stringify(value)),
    forget: async (key) => void values.delete(key),
  };
}
