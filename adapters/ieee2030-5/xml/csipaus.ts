import { isSep, type XmlElement } from "./xml-element.ts";
import { echo, type OutElement } from "./xml-write.ts";

/** Namespaces of the Australian extension, by its version. */
export const CSIPAUS_NAMESPACES = {
  "1.2": "https://csipaus.org/ns",
  "1.3": "https://csipaus.org/ns/v1.3",
} as const;

export type CsipausVersion = keyof typeof CSIPAUS_NAMESPACES;

/** What the extension adds to an element, whichever version of it. */
export function extensionsOf(element: XmlElement): readonly XmlElement[] {
  return element.children.filter((child) => child.namespace.startsWith(CSIPAUS_NAMESPACES["1.2"]) && !isSep(child));
}

/** What a device sent, with what the extension adds to it, to be shown to it again. */
export function echoExtended(source: XmlElement, attributes: OutElement["attributes"]): OutElement {
  const plain = echo(source, attributes);
  const added = extensionsOf(source);
  const [first] = added;
  if (first === undefined || typeof plain.content !== "object") return plain;
  return {
    ...plain,
    attributes: { "xmlns:csipaus": first.namespace, ...plain.attributes },
    content: [
      ...plain.content,
      ...added
        .filter(({ namespace }) => namespace === first.namespace)
        .map((child) => ({ ...echo(child), name: `csipaus:${child.name}` })),
    ],
  };
}
