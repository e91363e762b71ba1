import { isJson, type Json, jsonFile, SCHEMA_BASE } from "./docs-library.ts";

/** What a context says of one term. */
export interface Term {
  readonly iri: string;
  /** `xsd:decimal`, `@json` and so on; absent where values stay as they are. */
  readonly type?: string;
  /** Terms that hold only below this one. */
  readonly below?: Terms;
}

export type Terms = ReadonlyMap<string, Term>;

/**
 * The part of JSON-LD 1.1 that our contexts use: lists of contexts, relative and absolute references, terms as text or
 * object, and contexts that hold below a term. Anything else in a context is a fault.
 */
export function termsOf(context: unknown, above: Terms = new Map()): Terms {
  if (Array.isArray(context)) return context.reduce((terms: Terms, part) => termsOf(part, terms), above);
  if (typeof context === "string") {
    const name = /(?:^\.\.\/\.\.\/|\/schema\/)(\w+)\/v1\/context\.jsonld$/.exec(context)?.[1];
    if (name === undefined || (!context.startsWith("../../") && !context.startsWith(SCHEMA_BASE))) {
      throw new Error(`a context outside ours: ${context}`);
    }
    return termsOf(jsonFile(`docs/schema/${name}/v1/context.jsonld`)["@context"], above);
  }
  if (!isJson(context)) throw new Error(`no context: ${JSON.stringify(context)}`);
  const terms = new Map(above);
  for (const [name, definition] of Object.entries(context)) {
    if (name === "@version" || isPrefix(definition)) continue;
    terms.set(name, termOf(definition));
  }
  return terms;
}

function isPrefix(definition: unknown): boolean {
  return typeof definition === "string" && /^https?:\/\/.*[#/]$/.test(definition);
}

function termOf(definition: unknown): Term {
  if (typeof definition === "string") return { iri: definition };
  if (!isJson(definition) || typeof definition["@id"] !== "string") throw new Error("a term without @id");
  const strange = Object.keys(definition).find((key) => !["@id", "@type", "@container", "@context"].includes(key));
  if (strange !== undefined) throw new Error(`${strange} is not used in our contexts`);
  return {
    iri: definition["@id"],
    ...(typeof definition["@type"] === "string" && { type: definition["@type"] }),
    ...(definition["@context"] !== undefined && { below: termsOf(definition["@context"]) }),
  };
}

/** Names in an object, at any depth, that have no term, and values that don't have the type of theirs. */
export function termFaults(value: unknown, terms: Terms, path = ""): readonly string[] {
  if (Array.isArray(value)) return value.flatMap((item, index) => termFaults(item, terms, `${path}[${index}]`));
  if (!isJson(value)) return [];
  const own = value["@context"] === undefined ? terms : termsOf(value["@context"], terms);
  const type = value["@type"];
  const typeFaults = typeof type === "string" && !own.has(type) ? [`${path}: the type ${type} has no term`] : [];
  const fieldFaults = Object.entries(value).flatMap(([name, part]) => {
    if (name.startsWith("@")) return [];
    const term = own.get(name);
    if (term === undefined) return [`${path}.${name} has no term`];
    if (term.type === "@json") return [];
    const inner = new Map([...own, ...(term.below ?? [])]);
    return [...valueFaults(part, term, inner, `${path}.${name}`), ...termFaults(part, inner, `${path}.${name}`)];
  });
  return [...typeFaults, ...fieldFaults];
}

/** Decimals that a bill writes as text, so that no digit of them is lost. */
const DECIMAL_TEXTS: ReadonlySet<string> = new Set(["sp:unrounded", "sp:intervalPrice"]);

function valueFaults(value: unknown, { type, iri }: Term, below: Terms, path: string): readonly string[] {
  if (type === undefined || value === "PAY_AS_CLEAR") return [];
  const fits = {
    "xsd:decimal": typeof value === (DECIMAL_TEXTS.has(iri) ? "string" : "number"),
    "xsd:integer": Number.isInteger(value),
    "xsd:boolean": typeof value === "boolean",
    "xsd:dateTime": typeof value === "string" && !Number.isNaN(Date.parse(value)),
    "xsd:duration": typeof value === "string" && value.startsWith("P"),
    "@vocab": typeof value === "string" && below.has(value),
  }[type];
  return fits ? [] : [`${path} is no ${type}: ${JSON.stringify(value)}`];
}

/** Every term of a context with those below it, as `[name, term]`. */
export function allTerms(terms: Terms): readonly (readonly [string, Term])[] {
  return [...terms].flatMap(([name, term]) => [[name, term] as const, ...allTerms(term.below ?? new Map())]);
}

/** The vocabulary: what each IRI of ours means. */
export const VOCABULARY: ReadonlyMap<string, Json> = new Map(
  (jsonFile("docs/schema/vocab.jsonld")["@graph"] as readonly Json[]).map((entry) => [String(entry["@id"]), entry]),
);
