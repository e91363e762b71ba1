import type { AdapterMemory } from "../adapters/kind.ts";

/** What is kept is bounded by the store and not by the adapter, so nothing is kept here. */
export const forgetfulMemory: AdapterMemory = {
  get: () => undefined,
  keys: () => [],
  set: () => Promise.resolve(),
  forget: () => Promise.resolve(),
};
