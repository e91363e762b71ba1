/** Namespace of IEEE 2030.5-2018, which everything that is written here carries. */
export const SEP_NAMESPACE = "urn:ieee:std:2030.5:ns";

/** Older clients still write the namespace of the drafts; it is read as if it were today's. */
const SEP_NAMESPACES: readonly string[] = [SEP_NAMESPACE, "http://ieee.org/2030.5"];

/** The attribute that says of an element which type it has, as the `Resource` of a Notification does. */
export const TYPE_ATTRIBUTE = "xsi:type";

/** One element of a parsed document. Only what 2030.5 needs: no comments, no mixed content. */
export interface XmlElement {
  /** Without prefix. */
  readonly name: string;
  readonly namespace: string;
  /** By local name; namespace declarations and attributes of foreign namespaces are left out, but for `xsi:type`. */
  readonly attributes: ReadonlyMap<string, string>;
  readonly children: readonly XmlElement[];
  /** Own text, without white space at its ends. */
  readonly text: string;
}

/** A document that cannot be taken: not well-formed, over a bound, or with a value that the schema forbids. */
export class BadDocument extends Error {
  override readonly name = "BadDocument";
}

/** True for an element of the standard itself; extensions of regions and vendors have namespaces of their own. */
export function isSep(element: XmlElement): boolean {
  return SEP_NAMESPACES.includes(element.namespace);
}

/** All children of the standard's namespace with this name. */
export function childrenOf(parent: XmlElement, name: string): readonly XmlElement[] {
  return parent.children.filter((child) => child.name === name && isSep(child));
}

/**
 * The child with this name, if there is one.
 * @throws BadDocument when it stands there twice, since then nobody knows which one is meant
 */
export function childOf(parent: XmlElement, name: string): XmlElement | undefined {
  const found = childrenOf(parent, name);
  if (found.length > 1)
    throw new BadDocument(`${parent.name} has ${found.length} ${name} elements; at most one may be`);
  return found[0];
}

/** The child with this name. @throws BadDocument when it is missing or stands there twice */
export function requiredChild(parent: XmlElement, name: string): XmlElement {
  const found = childOf(parent, name);
  if (found === undefined) throw new BadDocument(`${parent.name} has no ${name}`);
  return found;
}

/**
 * A whole number within bounds, both inclusive; absent stays absent.
 * @throws BadDocument when there is something else than such a number
 */
export function integerOf(parent: XmlElement, name: string, least: number, most: number): number | undefined {
  const text = childOf(parent, name)?.text;
  if (text === undefined) return undefined;
  const value = /^[+-]?\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= least && value <= most)) {
    throw new BadDocument(
      `${parent.name}.${name} is "${text.slice(0, 40)}", expected a whole number ${least}..${most}`,
    );
  }
  return value;
}

/**
 * Hexadecimal digits, in upper case; absent stays absent.
 * @throws BadDocument when there is something else
 */
export function hexOf(parent: XmlElement, name: string, mostDigits: number): string | undefined {
  const text = childOf(parent, name)?.text;
  if (text === undefined) return undefined;
  if (!/^[0-9A-Fa-f]+$/.test(text) || text.length > mostDigits) {
    throw new BadDocument(`${parent.name}.${name} is "${text.slice(0, 40)}", expected 1 to ${mostDigits} hex digits`);
  }
  return text.toUpperCase();
}

/** Values of a document that is kept, and the letters of each; the standard's small ones have a dozen of up to 40. */
const MOST_KEPT = 16;
const MOST_KEPT_LETTERS = 256;
const NO_ATTRIBUTES: ReadonlyMap<string, string> = new Map();

/**
 * A small document as it is kept: its plain values and nothing else. A device may send 256 kB each time, and what is kept of many
 * would fill the memory.
 */
export function plainValues(document: XmlElement): XmlElement {
  const children = document.children
    .filter(({ children, text }) => children.length === 0 && text.length <= MOST_KEPT_LETTERS)
    .slice(0, MOST_KEPT)
    // Written anew: a part of a long text keeps the whole of it alive.
    .map((child) => ({ ...child, attributes: NO_ATTRIBUTES, text: Buffer.from(child.text).toString() }));
  return { ...document, attributes: NO_ATTRIBUTES, children, text: "" };
}
