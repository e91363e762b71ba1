import { childOf, type XmlElement } from "../../simulators/der/xml-in.ts";
import type { DerDocument, EndDevice } from "../../simulators/utility/device-book.ts";

/** A child by its name, in whichever namespace: CSIP-AUS adds its own to the standard's documents. */
export function memberOf(element: XmlElement, name: string): XmlElement | undefined {
  return childOf(element, name) ?? element.children.find((child) => child.name === name);
}

/** A value of a document that a device sent: a number, or value and multiplier, or what it says of its state. */
export function numberIn(element: XmlElement | undefined, name: string): number | undefined {
  const member = element === undefined ? undefined : memberOf(element, name);
  if (member === undefined) return undefined;
  const value = memberOf(member, "value") ?? memberOf(member, "displacement");
  if (value === undefined) return toNumber(member.text);
  const multiplier = memberOf(member, "multiplier")?.text ?? "0";
  const number = toNumber(value.text);
  return number === undefined ? undefined : number * 10 ** Number(multiplier);
}

/** A bitmap: hexadecimal on the wire, in an element of its own or in its `value`. */
export function bitsIn(element: XmlElement | undefined, name: string): number | undefined {
  const member = element === undefined ? undefined : memberOf(element, name);
  if (member === undefined) return undefined;
  const text = memberOf(member, "value")?.text ?? member.text;
  return /^[0-9A-Fa-f]+$/.test(text) ? Number.parseInt(text, 16) : undefined;
}

/** Names of expressions that stand for what the device said of itself, in W. */
export function ratingOf(device: EndDevice | undefined, name: string): number | undefined {
  if (name === "maxImportW") return ratingOf(device, "setMaxChargeRateW") ?? ratingOf(device, "setMaxW");
  if (name === "maxExportW") return ratingOf(device, "setMaxDischargeRateW") ?? ratingOf(device, "setMaxW");
  const kind: DerDocument | undefined = name.startsWith("set") ? "derg" : name.startsWith("rtg") ? "dercap" : undefined;
  return kind === undefined ? undefined : numberIn(device?.der.get(kind), name);
}

function toNumber(text: string): number | undefined {
  return /^[+-]?\d+(\.\d+)?$/.test(text) ? Number(text) : undefined;
}
