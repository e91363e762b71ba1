import { SaxesParser } from "saxes";
import { isConnectionPoint } from "./csipaus.ts";
import { BadDocument, isSep, TYPE_ATTRIBUTE, type XmlElement } from "./xml-element.ts";

/** Largest document that is read, bytes. The largest real ones, lists of readings, stay far below. */
export const MAX_XML_BYTES = 256 * 1024;
const MAX_DEPTH = 32;
const MAX_ELEMENTS = 10_000;
const MAX_ATTRIBUTES = 32;
const XSI = "http://www.w3.org/2001/XMLSchema-instance";

interface OpenElement {
  readonly name: string;
  readonly namespace: string;
  readonly attributes: ReadonlyMap<string, string>;
  readonly children: XmlElement[];
  text: string;
}

/**
 * Reads one document of a 2030.5 device: UTF-8, well-formed, namespaces bound, root in the standard's namespace.
 * Document type declarations are refused, so that no entity can be defined, let alone expanded or fetched.
 *
 * @throws BadDocument with a reason fit for the log
 */
export function parseXml(bytes: Uint8Array): XmlElement {
  if (bytes.byteLength > MAX_XML_BYTES) throw new BadDocument(`longer than ${MAX_XML_BYTES} bytes`);
  const parser = new SaxesParser({ xmlns: true });
  const open: OpenElement[] = [];
  let root: XmlElement | undefined;
  let elements = 0;
  let attributeCount = 0;

  parser.on("error", (error) => {
    throw new BadDocument(`not well-formed: ${error.message}`);
  });
  parser.on("doctype", () => {
    throw new BadDocument("a document type declaration is not allowed");
  });
  parser.on("xmldecl", (declaration) => {
    if (declaration.version !== undefined && declaration.version !== "1.0") {
      throw new BadDocument(`XML ${declaration.version.slice(0, 20)}, expected 1.0`);
    }
    if (declaration.encoding !== undefined && declaration.encoding.toUpperCase() !== "UTF-8") {
      throw new BadDocument(`encoding ${declaration.encoding}, expected UTF-8`);
    }
  });
  parser.on("opentagstart", () => {
    // Looked at before the parser resolves the tag, which costs it a walk over all open elements.
    if (open.length >= MAX_DEPTH) throw new BadDocument(`nested deeper than ${MAX_DEPTH} elements`);
    elements += 1;
    if (elements > MAX_ELEMENTS) throw new BadDocument(`more than ${MAX_ELEMENTS} elements`);
    attributeCount = 0;
  });
  parser.on("attribute", () => {
    attributeCount += 1;
    if (attributeCount > MAX_ATTRIBUTES) throw new BadDocument(`more than ${MAX_ATTRIBUTES} attributes on one element`);
  });
  parser.on("opentag", (tag) => {
    const attributes = new Map<string, string>();
    for (const { uri, local, value } of Object.values(tag.attributes)) {
      if (uri === "") attributes.set(local, value);
      // The prefix in front of the type is the sender's own.
      else if (uri === XSI && local === "type") attributes.set(TYPE_ATTRIBUTE, value.slice(value.indexOf(":") + 1));
    }
    open.push({
      name: tag.local,
      namespace: tag.uri,
      attributes,
      children: [],
      text: "",
    });
  });
  const addText = (text: string) => {
    const element = open.at(-1);
    if (element !== undefined) element.text += text;
  };
  parser.on("text", addText);
  parser.on("cdata", addText);
  parser.on("closetag", () => {
    const closed = open.pop();
    if (closed === undefined) return;
    const element: XmlElement = { ...closed, text: closed.text.trim() };
    const parent = open.at(-1);
    if (parent === undefined) root = element;
    else parent.children.push(element);
  });

  parser.write(decodeUtf8(bytes)).close();
  if (root === undefined) throw new BadDocument("empty");
  if (!isSep(root) && !isConnectionPoint(root))
    throw new BadDocument(`root ${root.name} is in namespace "${root.namespace.slice(0, 80)}"`);
  return root;
}

function decodeUtf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new BadDocument("not UTF-8", { cause });
  }
}
