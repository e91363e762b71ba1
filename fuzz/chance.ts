import { createRng, type Rng } from "../simulators/world/rng.ts";

/** Chance for one input. */
export interface Chance {
  /** Whole number from `low` to `high`, both possible. */
  integer(low: number, high: number): number;
  /** One of a list that is not empty. */
  pick<T>(from: readonly T[]): T;
  /** Chance of its own for something beside it. */
  fork(name: string): Chance;
}

/** The chance of one input: it depends on the seed and the input's number, and on no other input. */
export function chanceOf(seed: number, index: number): Chance {
  return chanceFrom(createRng(seed).fork(String(index)));
}

function chanceFrom(rng: Rng): Chance {
  const integer = (low: number, high: number) => low + Math.floor(rng.next() * (high - low + 1));
  return {
    integer,
    pick: (from) => {
      if (from.length === 0) throw new RangeError("nothing to pick from");
      return from[integer(0, from.length - 1)] as (typeof from)[number];
    },
    fork: (name) => chanceFrom(rng.fork(name)),
  };
}
