import { isSep, type XmlElement } from "./xml-element.ts";

/** Namespaces of the Australian extension, by its version. */
export const CSIPAUS_NAMESPACES = {
  "1.2": "https://csipaus.org/ns",
  "1.3": "https://csipaus.org/ns/v1.3",
} as const;

export type CsipausVersion = keyof typeof CSIPAUS_NAMESPACES;

/** True for the one document that the extension adds to those of the standard, whichever version of it. */
export function isConnectionPoint({ name, namespace }: XmlElement): boolean {
  return name === "ConnectionPoint" && namespace.startsWith(CSIPAUS_NAMESPACES["1.2"]);
}

/** What the extension adds to an element, whichever version of it. */
export function extensionsOf(element: XmlElement): readonly XmlElement[] {
  return element.children.filter((child) => child.namespace.startsWith(CSIPAUS_NAMESPACES["1.2"]) && !isSep(child));
}
