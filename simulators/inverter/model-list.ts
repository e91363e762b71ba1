import type { ModelSpec } from "./model-catalogue.ts";

const MOST_MODELS = 200;

/**
 * Reads `1,120-123,160,64001:20`: ids in the order of the chain, a range for several, and behind a colon the length L of
 * a model where it is not the usual one.
 * @throws RangeError for anything else
 */
export function parseModels(text: string): readonly ModelSpec[] {
  const specs = text.split(",").flatMap((part): ModelSpec[] => {
    const [, first, last, length] = /^\s*(\d{1,5})(?:-(\d{1,5})|:(\d{1,4}))?\s*$/.exec(part) ?? [];
    if (first === undefined) throw new RangeError(`"${part}" is no model; write for example 1,103,120-123,64001:20`);
    if (length !== undefined) return [{ id: Number(first), length: Number(length) }];
    const from = Number(first);
    const to = last === undefined ? from : Number(last);
    if (to < from || to - from > MOST_MODELS) throw new RangeError(`"${part}" is no range of models`);
    return Array.from({ length: to - from + 1 }, (_, index) => ({ id: from + index }));
  });
  if (specs.length > MOST_MODELS) throw new RangeError(`${specs.length} models are more than ${MOST_MODELS}`);
  return specs;
}
