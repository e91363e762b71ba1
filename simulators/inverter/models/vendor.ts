import type { Model } from "../model.ts";
import { rowsFrom } from "../point.ts";

const DEFAULT_LENGTH = 16;

/** A model that no standard describes, as vendors put them between the others: numbers of a kind, for reading only. */
export function vendorModel(id: number, length = DEFAULT_LENGTH): Model {
  const names = Array.from({ length }, (_, index) => `V${index}`);
  return {
    id,
    rows: rowsFrom(2, "uint16", names),
    scales: {},
    values: () => Object.fromEntries(names.map((name, index) => [name, (id * 31 + index * 7) % 0xffff])),
  };
}
