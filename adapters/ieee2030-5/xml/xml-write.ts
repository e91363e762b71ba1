import { isSep, SEP_NAMESPACE, type XmlElement } from "./xml-element.ts";

type Value = string | number | boolean;

/** An element to be written. The order of `content` is the order on the wire, and the schema demands one. */
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

/** What a device sent, to be shown to it again: the standard's elements only, in the order in which they came. */
export function echo(source: XmlElement, attributes: OutElement["attributes"] = {}): OutElement {
  const children = source.children.filter(isSep);
  return {
    name: source.name,
    attributes: { ...Object.fromEntries(source.attributes), ...attributes },
    content: children.length > 0 ? children.map((child) => echo(child)) : source.text,
  };
}

function write(node: OutElement): string {
  let text = `<${node.name}`;
  for (const [name, value] of Object.entries(node.attributes)) {
    if (value !== undefined) text += ` ${name}="${escapeXml(String(value))}"`;
  }
  const content =
    typeof node.content === "object"
      ? node.content.map((child) => (child === undefined ? "" : write(child))).join("")
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
