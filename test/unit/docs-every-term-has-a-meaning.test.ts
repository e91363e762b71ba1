import { describe, expect, test } from "vitest";
import {
  EXAMPLES,
  extensionsIn,
  isJson,
  type Json,
  jsonFile,
  SCHEMA_BASE,
  SCHEMA_NAMES,
} from "../support/docs-library.ts";
import { allTerms, type Terms, termFaults, termsOf, VOCABULARY } from "../support/docs-terms.ts";

function contextOf(name: string): Terms {
  return termsOf(`${SCHEMA_BASE}${name}/v1/context.jsonld`);
}

const ALL = SCHEMA_NAMES.flatMap((name) => allTerms(contextOf(name)));

test("a name without a term and a value of another type are found", () => {
  const terms = contextOf("EnergyOrder");
  expect(termFaults({ "@type": "EnergyOrder", setpointKW: -8 }, terms)).toEqual([]);
  expect(termFaults({ setpointkW: -8 }, terms)).toEqual([".setpointkW has no term"]);
  expect(termFaults({ setpointKW: "-8" }, terms)).toEqual(['.setpointKW is no xsd:decimal: "-8"']);
  expect(termFaults({ objectives: { constraints: { minPowerKW: 1 } } }, contextOf("Objectives"))).not.toEqual([]);
  expect(termFaults({ "@type": "Order" }, terms)).toEqual([": the type Order has no term"]);
});

// What stands inside another object of ours is seen there, with the terms that hold there.
const objects = EXAMPLES.flatMap(({ name, message }) =>
  extensionsIn(message)
    .filter(({ value }) => value["@context"] !== undefined)
    .map(({ path, value }) => ({ name, path, value })),
);

test.each(objects)("$name: every name at $path has a term", ({ value }) => {
  expect(termFaults(value, new Map())).toEqual([]);
});

test("every object of ours in an example names its context", () => {
  const untold = EXAMPLES.flatMap(({ name, message }) => {
    const found = extensionsIn(message);
    const rooted = found.filter(({ value }) => value["@context"] !== undefined).map(({ path }) => path);
    return found
      .filter(({ path }) => !rooted.some((root) => path.startsWith(root)))
      .map(({ path }) => `${name}${path}`);
  });
  expect(untold).toEqual([]);
});

describe("contexts", () => {
  test.each(SCHEMA_NAMES)("%s has a term for each field of its schema", (name) => {
    expect(fieldsWithoutTerm(jsonFile(`docs/schema/${name}/v1/schema.json`), contextOf(name))).toEqual([]);
  });

  test("a power, an energy and a price are decimals, a time is a dateTime", () => {
    for (const [name, { type }] of ALL) {
      if (/[a-z](KW|KWh|Price|PerHour|PerPercent)$/.test(name) || name === "price")
        expect(type, name).toBe("xsd:decimal");
      if (/^(valid|timestamp|deadline|eventTime|judgedAt|generatedAt)/.test(name)) {
        expect(type, name).toBe("xsd:dateTime");
      }
    }
  });

  test("one IRI has one type everywhere", () => {
    const types = new Map<string, string | undefined>();
    for (const [name, { iri, type }] of ALL) {
      if (types.has(iri)) expect(type, name).toBe(types.get(iri));
      types.set(iri, type);
    }
  });

  test("units of measured values are those of QUDT", () => {
    const units = new Map(ALL.filter(([, { iri }]) => iri.startsWith("unit:")).map(([name, { iri }]) => [name, iri]));
    expect(Object.fromEntries(units)).toEqual({
      KW: "unit:KiloW",
      KWH: "unit:KiloW-HR",
      VLT: "unit:V",
      AMP: "unit:A",
      PERCENTAGE: "unit:PERCENT",
      HZ: "unit:HZ",
    });
  });
});

describe("the vocabulary", () => {
  test("explains each of our terms, and nothing else", () => {
    const used = new Set(ALL.map(([, { iri }]) => iri).filter((iri) => iri.startsWith("sp:")));
    expect([...used].filter((iri) => !VOCABULARY.has(iri))).toEqual([]);
    expect([...VOCABULARY.keys()].filter((iri) => !used.has(iri))).toEqual([]);
  });

  test("gives each power and each energy its unit, and each property the range that the contexts have", () => {
    for (const [iri, entry] of VOCABULARY) {
      expect(entry["rdfs:comment"], iri).toMatch(/\w/);
      const unit = (entry["qudt:hasUnit"] as Json | undefined)?.["@id"];
      if (/KW$/.test(iri)) expect(unit, iri).toBe("unit:KiloW");
      if (/KWh$/.test(iri) && !/[Pp]rice/.test(iri)) expect(unit, iri).toBe("unit:KiloW-HR");
      const range = (entry["rdfs:range"] as Json | undefined)?.["@id"];
      const type = ALL.find(([, term]) => term.iri === iri)?.[1].type;
      expect(range, iri).toBe(type?.startsWith("xsd:") ? type : undefined);
    }
  });
});

/** Fields that a schema names and that have no term where they stand. */
function fieldsWithoutTerm(schema: Json, terms: Terms): readonly string[] {
  const definitions = schema["$defs"];
  const visit = (part: unknown, active: Terms): readonly string[] => {
    if (!isJson(part)) return [];
    const reference = part["$ref"];
    if (typeof reference === "string" && reference.startsWith("#/$defs/") && isJson(definitions)) {
      return visit(definitions[reference.slice("#/$defs/".length)], active);
    }
    const fields = isJson(part["properties"]) ? Object.entries(part["properties"]) : [];
    const own = fields.flatMap(([name, field]) => {
      if (name.startsWith("@")) return [];
      const term = active.get(name);
      if (term === undefined) return [name];
      return visit(field, new Map([...active, ...(term.below ?? [])]));
    });
    const alternatives = ["allOf", "anyOf"].flatMap((key) => (part[key] ?? []) as readonly unknown[]);
    return [...own, ...visit(part["items"], active), ...alternatives.flatMap((one) => visit(one, active))];
  };
  return visit(schema, terms);
}
