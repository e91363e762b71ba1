/** The steps of a JSON pointer (RFC 6901). @throws SyntaxError where it does not begin with / */
export function pointerSteps(pointer: string): readonly string[] {
  if (pointer === "") return [];
  if (!pointer.startsWith("/")) throw new SyntaxError(`"${pointer}" is no JSON pointer: it begins with /`);
  return pointer
    .slice(1)
    .split("/")
    .map((step) => step.replaceAll("~1", "/").replaceAll("~0", "~"));
}

/** What stands at a pointer; undefined where nothing does. */
export function valueAt(tree: unknown, pointer: string): unknown {
  let here = tree;
  for (const step of pointerSteps(pointer)) {
    if (here instanceof Map) here = here.get(step) as unknown;
    else if (typeof here !== "object" || here === null || !Object.hasOwn(here, step)) return undefined;
    else here = (here as Record<string, unknown>)[step];
  }
  return here;
}

/** A tree of objects that has these values at these pointers, and nothing else. */
export function treeOf<V>(values: ReadonlyMap<string, V>): unknown {
  let root: Record<string, unknown> | V = {};
  for (const [pointer, value] of values) {
    const steps = pointerSteps(pointer);
    const last = steps.at(-1);
    if (last === undefined) {
      root = value;
      continue;
    }
    let here = root as Record<string, unknown>;
    for (const step of steps.slice(0, -1)) {
      here[step] ??= {};
      here = here[step] as Record<string, unknown>;
    }
    here[last] = value;
  }
  return root;
}
