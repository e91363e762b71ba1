import { childOf, type XmlElement, XmlFault } from "./xml-in.ts";

/** The child that must be there. */
export function required(element: XmlElement, name: string): XmlElement {
  const child = childOf(element, name);
  if (child === undefined) throw new XmlFault(`${element.name} lacks ${name}`);
  return child;
}

/** A whole number between two bounds, both included. */
export function wholeNumber(element: XmlElement, low: number, high: number): number {
  const { name, text } = element;
  const value = Number(text);
  if (!/^[+-]?\d{1,15}$/.test(text)) throw new XmlFault(`${name} is "${text}", not a whole number`);
  if (value < low || value > high) throw new XmlFault(`${name} is ${text}, outside ${low} to ${high}`);
  return value;
}

/** The same, for a child that need not be there. */
export function optionalNumber(element: XmlElement, name: string, low: number, high: number): number | undefined {
  const child = childOf(element, name);
  return child === undefined ? undefined : wholeNumber(child, low, high);
}

export function checkBoolean(element: XmlElement): void {
  if (!/^(true|false|0|1)$/.test(element.text))
    throw new XmlFault(`${element.name} is "${element.text}", not a boolean`);
}

/** Seconds since 1970, UTC. */
export const timeOf = (element: XmlElement): number => wholeNumber(element, 0, Number.MAX_SAFE_INTEGER);

/** Unsigned 32 bits. */
export const uint32Of = (element: XmlElement): number => wholeNumber(element, 0, 2 ** 32 - 1);

/** Hexadecimal of at most `bytes` bytes. Peers may leave leading zeros out, so the result has none and is upper case. */
export function hexOf(element: XmlElement, bytes: number): string {
  const { name, text } = element;
  if (text.length === 0 || text.length % 2 !== 0 || text.length > bytes * 2 || !/^[0-9A-Fa-f]+$/.test(text)) {
    throw new XmlFault(`${name} is "${text}", not up to ${bytes} bytes in hexadecimal`);
  }
  return canonicalHex(text);
}

/** Hexadecimal as it is compared. */
export function canonicalHex(text: string): string {
  return text.toUpperCase().replace(/^0+(?=.)/, "");
}

/** Watts: `value` is 16 bits with sign, so larger powers need the multiplier. */
export function wattsOf(element: XmlElement): number {
  const multiplier = wholeNumber(required(element, "multiplier"), -9, 9);
  return wholeNumber(required(element, "value"), -32768, 32767) * 10 ** multiplier;
}
