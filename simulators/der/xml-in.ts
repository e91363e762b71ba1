import { Parser } from "xml2js";

/** One element with its children in the order of the document. */
export interface XmlElement {
  /** Without prefix. */
  readonly name: string;
  readonly namespace: string;
  /** Attributes that are in no namespace. */
  readonly attributes: ReadonlyMap<string, string>;
  readonly children: readonly XmlElement[];
  /** Character data, trimmed; empty where there is none. */
  readonly text: string;
}

/** The text is not one well-formed document, or not the document that the schema asks for. */
export class XmlFault extends Error {
  override readonly name = "XmlFault";
}

const MAX_DEPTH = 32;

/**
 * Parses one document.
 * @throws XmlFault on anything that a validating parser would refuse, a document type declaration included
 */
export function parseXml(text: string): XmlElement {
  if (/<!DOCTYPE/i.test(text)) throw new XmlFault("a document type declaration is not allowed");
  const roots: unknown[] = [];
  const faults: string[] = [];
  const parser = new Parser({
    xmlns: true,
    strict: true,
    explicitRoot: false,
    explicitChildren: true,
    preserveChildrenOrder: true,
    explicitCharkey: true,
    trim: true,
  });
  // By callback the library reports only the first of these, and so takes a second root and trailing text.
  parser.on("end", (root: unknown) => roots.push(root));
  parser.on("error", (error: Error) => faults.push(error.message.replaceAll("\n", ", ")));
  try {
    parser.parseString(text);
  } catch (error) {
    faults.push(error instanceof Error ? error.message : String(error));
  }
  if (faults.length > 0) throw new XmlFault(`not well-formed: ${faults[0]}`);
  if (roots.length !== 1) throw new XmlFault(`a document has one root element, this has ${roots.length}`);
  return elementFrom(roots[0], 0);
}

/** The first child of that name. */
export function childOf(element: XmlElement, name: string): XmlElement | undefined {
  return element.children.find((child) => child.name === name && child.namespace === element.namespace);
}

/** Node of the parser's own shape: `$ns` name, `$` attributes, `$$` children in order, `_` text. */
interface RawNode {
  readonly $ns?: { readonly local: string; readonly uri: string };
  readonly $?: Readonly<Record<string, { readonly local: string; readonly uri: string; readonly value: string }>>;
  readonly $$?: readonly RawNode[];
  readonly _?: string;
}

function elementFrom(raw: unknown, depth: number): XmlElement {
  if (depth > MAX_DEPTH) throw new XmlFault(`nested deeper than ${MAX_DEPTH}`);
  const node = raw as RawNode | null;
  if (typeof node !== "object" || node?.$ns === undefined) throw new XmlFault("the document is empty");
  const attributes = new Map<string, string>();
  for (const { local, uri, value } of Object.values(node.$ ?? {})) if (uri === "") attributes.set(local, value);
  return {
    name: node.$ns.local,
    namespace: node.$ns.uri,
    attributes,
    children: (node.$$ ?? []).map((child) => elementFrom(child, depth + 1)),
    text: node._ ?? "",
  };
}
