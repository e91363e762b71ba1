import { NAMESPACE } from "./schema.ts";

/** An element to write: a value, or children in the order of the schema. Absent children are left out. */
export interface XmlNode {
  readonly name: string;
  readonly content: string | readonly XmlNode[];
  readonly attributes?: Readonly<Record<string, string>>;
}

/** An element with children; `undefined` among them stands for one that is not there. */
export function group(name: string, ...children: readonly (XmlNode | undefined)[]): XmlNode {
  return { name, content: children.filter((child) => child !== undefined) };
}

/** An element with a value. */
export function leaf(name: string, value: string | number): XmlNode {
  return { name, content: String(value) };
}

/** The whole document in the namespace of IEEE 2030.5. */
export function writeXml(root: XmlNode): string {
  return write({ ...root, attributes: { xmlns: NAMESPACE, ...root.attributes } });
}

function write(node: XmlNode): string {
  const attributes = Object.entries(node.attributes ?? {}).map(([name, value]) => ` ${name}="${escaped(value)}"`);
  const inner = typeof node.content === "string" ? escaped(node.content) : node.content.map(write).join("");
  return `<${node.name}${attributes.join("")}>${inner}</${node.name}>`;
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}
