import { readdirSync, readFileSync, statSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { Ajv2020 } from "ajv/dist/2020.js";
import addFormats from "ajv-formats";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const SCHEMAS = join(ROOT, "docs/schema");

/** The one base of all schema, context and vocabulary IRIs; nobody serves it yet. */
export const SCHEMA_BASE = "https://setpointd.example/schema/";

export type Json = Readonly<Record<string, unknown>>;

export function isJson(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A file as JSON, by its path from the root of the project. */
export function jsonFile(path: string): Json {
  return JSON.parse(readFileSync(join(ROOT, path), "utf8")) as Json;
}

export function textFile(path: string): string {
  return readFileSync(join(ROOT, path), "utf8");
}

/** True if a file or folder is there, by its path from the root of the project. */
export function isThere(path: string): boolean {
  return statSync(join(ROOT, path), { throwIfNoEntry: false }) !== undefined;
}

/** Names of our schemas: `BidCurve`, `EnergyOrder` and so on. */
export const SCHEMA_NAMES: readonly string[] = readdirSync(SCHEMAS, { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && entry.name !== "examples")
  .map((entry) => entry.name)
  .sort();

/** An example message with its name, for example `vpp.04-on_confirm`. */
export interface Example {
  readonly name: string;
  readonly message: Json;
}

export const EXAMPLES: readonly Example[] = readdirSync(join(SCHEMAS, "examples"))
  .sort()
  .map((file) => ({ name: file.replace(/\.json$/, ""), message: jsonFile(`docs/schema/examples/${file}`) }));

export function example(name: string): Json {
  const found = EXAMPLES.find((one) => one.name === name);
  if (found === undefined) throw new Error(`there is no example ${name}`);
  return found.message;
}

/** All pages of the documentation and the read-me of the project, by their path from its root. */
export function pages(): readonly string[] {
  return [
    "README.md",
    ...readdirSync(join(ROOT, "docs"), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && entry.name.endsWith(".md"))
      .map((entry) => relative(ROOT, join(entry.parentPath, entry.name)))
      .sort(),
  ];
}

const ajv = new Ajv2020({
  strict: true,
  strictTypes: false,
  strictRequired: false,
  allErrors: true,
  allowUnionTypes: true,
});
addFormats.default(ajv);
for (const name of SCHEMA_NAMES) ajv.addSchema(jsonFile(`docs/schema/${name}/v1/schema.json`));

/** What is wrong with an object by one of our schemas; empty if nothing is. */
export function schemaFaults(name: string, value: unknown): readonly string[] {
  const validate = ajv.getSchema(`${SCHEMA_BASE}${name}/v1/schema.json`);
  if (validate === undefined) throw new Error(`no schema ${name}`);
  if (validate(value)) return [];
  return (validate.errors ?? []).map((error) => `${name}${error.instancePath} ${error.message ?? "is wrong"}`);
}

/** An object of a message that one of our schemas is about. */
export interface Extension {
  readonly schema: string;
  readonly path: string;
  readonly value: Json;
}

/** `@type` of a message → our schema; the one whose name is another is what charging orders call their delivery. */
const SCHEMA_OF_TYPE: Readonly<Record<string, string>> = {
  ...Object.fromEntries(SCHEMA_NAMES.map((name) => [name, name])),
  ChargingSession: "ChargingTelemetry",
};

/** Objects that carry no type in the seed, known by the name of their field. */
const SCHEMA_OF_KEY: Readonly<Record<string, string>> = {
  aggregationRequest: "AggregationRequest",
  aggregationResult: "AggregationResult",
  locationalPriceAdder: "LocationalPriceAdder",
  gridConstraints: "GridConstraints",
  offsetCommand: "OffsetCommand",
  objectives: "Objectives",
  settlement: "Settlement",
};

/** Every object in a message that one of our schemas is about, with the outer ones first. */
export function extensionsIn(value: unknown, path = "", key = ""): readonly Extension[] {
  if (Array.isArray(value)) return value.flatMap((item, index) => extensionsIn(item, `${path}[${index}]`));
  if (!isJson(value)) return [];
  const type = value["@type"];
  const schema = (typeof type === "string" ? SCHEMA_OF_TYPE[type] : undefined) ?? SCHEMA_OF_KEY[key];
  const inner = Object.entries(value).flatMap(([name, part]) => extensionsIn(part, `${path}.${name}`, name));
  return schema === undefined ? inner : [{ schema, path, value }, ...inner];
}

/** Every curve in a message, in the seed's form and in the branch's. */
export function curvesIn(
  value: unknown,
  path = "",
): readonly { path: string; points: readonly Json[]; holder: Json }[] {
  if (Array.isArray(value)) return value.flatMap((item, index) => curvesIn(item, `${path}[${index}]`));
  if (!isJson(value)) return [];
  const own = ["bidCurve", "curve"].flatMap((name) => {
    const points = value[name];
    return Array.isArray(points) ? [{ path: `${path}.${name}`, points: points as readonly Json[], holder: value }] : [];
  });
  return [...own, ...Object.entries(value).flatMap(([name, part]) => curvesIn(part, `${path}.${name}`))];
}
