import { inSchemaOrder } from "./element-order.ts";
import { isSep, SEP_NAMESPACE, TYPE_ATTRIBUTE, type XmlElement } from "./xml-element.ts";

type Value = string | number | boolean;

/** An element to be written. Its children go out in the order of the schema, whatever their order here. */
export interface OutElement {
  readonly name: string;
  readonly attributes: Readonly<Record<string, Value | undefined>>;
  readonly content: Value | readonly (OutElement | undefined)[];
}

/** An element with attributes; an `undefined` attribute or child is left out. */
export function tag(
  name: string,
  attributes: OutElement["attributes"],
  content: OutElement["content"] = [],
): OutElement {
  return { name, attributes, content };
}

/** An element without attributes. */
export function element(name: string, content: OutElement["content"]): OutElement {
  return { name, attributes: {}, content };
}

/** The document as text, in the namespace of 2030.5-2018. */
export function writeXml(root: OutElement): string {
  return write({ ...root, attributes: { xmlns: SEP_NAMESPACE, ...root.attributes } });
}

/** Prefixes of namespaces that are written beside the standard's. */
const PREFIXES: Readonly<Record<string, string>> = {
  "https://csipaus.org/ns": "csipaus",
  "https://csipaus.org/ns/v1.3": "csipaus13",
  "http://www.w3.org/2001/XMLSchema-instance": "xsi",
};

/**
 * What somebody sent, to be shown again: the standard's elements and those of CSIP-AUS, with the namespaces that they
 * need declared on the outermost.
 */
export function echo(source: XmlElement, attributes: OutElement["attributes"] = {}): OutElement {
  const used = new Set<string>();
  const copy = echoed(source, used);
  const declared = Object.entries(PREFIXES).flatMap(([namespace, prefix]) =>
    used.has(prefix) ? [[`xmlns:${prefix}`, namespace]] : [],
  );
  return { ...copy, attributes: { ...Object.fromEntries(declared), ...copy.attributes, ...attributes } };
}

function echoed(source: XmlElement, used: Set<string>): OutElement {
  const prefix = PREFIXES[source.namespace];
  if (prefix !== undefined) used.add(prefix);
  if (source.attributes.has(TYPE_ATTRIBUTE)) used.add("xsi");
  const children = source.children.filter((child) => isSep(child) || PREFIXES[child.namespace] !== undefined);
  return {
    name: prefix === undefined ? source.name : `${prefix}:${source.name}`,
    attributes: Object.fromEntries(source.attributes),
    content: children.length > 0 ? children.map((child) => echoed(child, used)) : source.text,
  };
}

function write(node: OutElement): string {
  let text = `<${node.name}`;
  for (const [name, value] of Object.entries(node.attributes)) {
    if (value !== undefined) text += ` ${name}="${escapeXml(String(value))}"`;
  }
  const content =
    typeof node.content === "object"
      ? inSchemaOrder(
          String(node.attributes[TYPE_ATTRIBUTE] ?? node.name),
          node.content.filter((child) => child !== undefined),
        )
          .map(write)
          .join("")
      : escapeXml(String(node.content));
  return content === "" ? `${text}/>` : `${text}>${content}</${node.name}>`;
}

const ESCAPES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&apos;",
  "\t": "&#9;",
  "\n": "&#10;",
  "\r": "&#13;",
};

/**
 * Characters that XML 1.0 cannot hold in any form are replaced: control characters, halves of surrogate pairs, and the
 * two non-characters. White space is escaped, so that attributes keep it.
 */
function escapeXml(text: string): string {
  return text
    .replace(/[\p{Cs}\uFFFE\uFFFF]/gu, "\uFFFD")
    .replace(/\p{Cc}/gu, (letter) => ESCAPES[letter] ?? (letter < " " ? "\uFFFD" : letter))
    .replace(/[&<>"']/g, (letter) => ESCAPES[letter] ?? "");
}
