import { existsSync, readdirSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { elementOrder } from "../../adapters/ieee2030-5/xml/element-order.ts";
import { parseXml } from "../../adapters/ieee2030-5/xml/xml-parse.ts";
import { echo, type OutElement, writeXml } from "../../adapters/ieee2030-5/xml/xml-write.ts";

const SHARED = resolve(import.meta.dirname, "../../../shared/fixtures/ieee2030_5");
const SAMPLES = resolve(SHARED, "own-examples");
const ORDER = resolve(SHARED, "element-order-2018.txt");

describe.skipIf(!existsSync(SAMPLES))("samples that are valid by the schema (skipped without ../shared)", () => {
  const names = existsSync(SAMPLES) ? readdirSync(SAMPLES) : [];

  test.each(names)("%s comes out byte for byte, whatever the order in which its elements came", (name) => {
    const bytes = readFileSync(resolve(SAMPLES, name));
    const source = echo(parseXml(bytes));
    fc.assert(
      fc.property(fc.infiniteStream(fc.double({ min: 0, max: 1, noNaN: true })), (chances) => {
        expect(writeXml(shuffled(source, chances))).toBe(bytes.toString("utf8").trimEnd());
      }),
      { numRuns: 20 },
    );
  });
});

describe.skipIf(!existsSync(ORDER))("the order of the schema (skipped without ../shared)", () => {
  const types = existsSync(ORDER) ? schemaOrders(readFileSync(ORDER, "utf8")) : new Map<string, readonly string[]>();
  const known = [...types.keys()].filter((type) => elementOrder(type) !== undefined);

  test.each(known)("of %s is the table's", (type) => {
    expect(elementOrder(type)?.filter((name) => !name.startsWith("csipaus:"))).toEqual(types.get(type));
  });

  test("of most types that 2030.5 sends is in the table", () => {
    expect(known.length).toBeGreaterThan(25);
  });
});

/** No sample has two elements of one name beside each other, whose order would be their own. */
function shuffled(element: OutElement, chances: Iterator<number>): OutElement {
  if (typeof element.content !== "object") return element;
  const children = element.content.filter((child) => child !== undefined);
  const mixed = children
    .map((child) => ({ child: shuffled(child, chances), at: chances.next().value as number }))
    .toSorted((a, b) => a.at - b.at);
  return { ...element, content: mixed.map(({ child }) => child) };
}

function schemaOrders(text: string): Map<string, readonly string[]> {
  // Bases that the generated file names and does not list.
  const own = new Map<string, { base: string; names: string[] }>([
    ["SubscribableIdentifiedObject", { base: "IdentifiedObject", names: [] }],
    ["MeterReadingBase", { base: "IdentifiedObject", names: [] }],
    ["ReadingSetBase", { base: "IdentifiedObject", names: ["timePeriod"] }],
  ]);
  let names: string[] = [];
  for (const line of text.split("\n")) {
    const [, type, base] = /^## (\S+) : (\S+)/.exec(line) ?? [];
    if (type !== undefined && base !== undefined) {
      names = [];
      own.set(type, { base, names });
    }
    const [, name] = /^ {2}el (\S+):/.exec(line) ?? [];
    if (name !== undefined) names.push(name);
  }
  const all = (type: string): readonly string[] => {
    const found = own.get(type);
    return found === undefined ? [] : [...all(found.base), ...found.names];
  };
  return new Map([...own.keys()].map((type) => [type, all(type)]));
}
