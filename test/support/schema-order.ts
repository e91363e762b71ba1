import { existsSync, readFileSync } from "node:fs";
import { isSep, type XmlElement } from "../../adapters/ieee2030-5/xml/xml-element.ts";

/** Generated from the 2018 schema, which may not be copied; kept beside the project. */
const ORDER_FILE = new URL("../../../shared/fixtures/ieee2030_5/element-order-2018.txt", import.meta.url);

export const hasSchemaOrder = existsSync(ORDER_FILE);

const SUBSCRIBABLE = { name: "subscribable", required: false };

export interface SchemaType {
  readonly base: string;
  readonly members: { readonly name: string; readonly type: string; readonly required: boolean }[];
  readonly attributes: { readonly name: string; readonly required: boolean }[];
}

/** The types of the schema; none where the file is missing. */
export function schemaTypes(): ReadonlyMap<string, SchemaType> {
  return hasSchemaOrder ? readOrder(readFileSync(ORDER_FILE, "utf8")) : new Map();
}

function readOrder(text: string): Map<string, SchemaType> {
  const types = new Map<string, SchemaType>([
    // Bases that the generated file names and does not list.
    ["SubscribableIdentifiedObject", { base: "IdentifiedObject", members: [], attributes: [SUBSCRIBABLE] }],
    ["MeterReadingBase", { base: "IdentifiedObject", members: [], attributes: [] }],
    [
      "ReadingSetBase",
      {
        base: "IdentifiedObject",
        members: [{ name: "timePeriod", type: "DateTimeInterval", required: true }],
        attributes: [],
      },
    ],
  ]);
  let current: SchemaType | undefined;
  for (const line of text.split("\n")) {
    const head = /^## (\S+) : (\S+)/.exec(line);
    if (head?.[1] !== undefined) {
      current = { base: head[2] ?? "None", members: [], attributes: [] };
      types.set(head[1], current);
      continue;
    }
    const member = /^ {2}el (\S+): (\S+) \[(\d)\.\./.exec(line);
    if (member?.[1] !== undefined && member[2] !== undefined) {
      current?.members.push({ name: member[1], type: member[2], required: member[3] === "1" });
    }
    const attribute = /^ {2}@(\w+): \S+ (\w+)/.exec(line);
    if (attribute?.[1] !== undefined) {
      current?.attributes.push({ name: attribute[1], required: attribute[2] === "required" });
    }
  }
  return types;
}

/** Members of a type with those of its bases before them, as the schema extends. */
function membersOf(name: string, types: ReadonlyMap<string, SchemaType>): SchemaType["members"] {
  const type = types.get(name);
  return type === undefined ? [] : [...membersOf(type.base, types), ...type.members];
}

function attributesOf(name: string, types: ReadonlyMap<string, SchemaType>): SchemaType["attributes"] {
  const type = types.get(name);
  return type === undefined ? [] : [...attributesOf(type.base, types), ...type.attributes];
}

/** Adds what the schema does not allow, for a person to read. */
export function checkOrder(
  element: XmlElement,
  types: ReadonlyMap<string, SchemaType>,
  faults: string[],
  typeName: string = element.name,
): void {
  if (typeName.endsWith("List") && !types.has(typeName)) {
    for (const name of ["all", "results"])
      if (!element.attributes.has(name)) faults.push(`${typeName}@${name} missing`);
    for (const child of element.children) checkOrder(child, types, faults);
    return;
  }
  if (typeName.endsWith("Link")) {
    if (!element.attributes.has("href")) faults.push(`${typeName} without href`);
    return;
  }
  if (!types.has(typeName)) {
    if (element.children.length > 0 && typeName === element.name) faults.push(`${typeName} is not in the schema`);
    return;
  }
  const attributes = attributesOf(typeName, types);
  for (const name of element.attributes.keys()) {
    if (!attributes.some((attribute) => attribute.name === name))
      faults.push(`${typeName}@${name} is not in the schema`);
  }
  const members = membersOf(typeName, types);
  let last = -1;
  for (const child of element.children) {
    if (!isSep(child)) {
      // What a region adds stands behind all that the standard has.
      last = members.length;
      continue;
    }
    const place = members.findIndex(({ name }) => name === child.name);
    const member = members[place];
    if (member === undefined) {
      faults.push(`${typeName}/${child.name} is not in the schema`);
      continue;
    }
    if (place < last) faults.push(`${typeName}: ${child.name} after ${members[last]?.name ?? "an extension"}`);
    last = place;
    checkOrder(child, types, faults, member.type);
  }
  for (const { name, required } of members) {
    if (required && !element.children.some((child) => child.name === name)) faults.push(`${typeName}: ${name} missing`);
  }
}
