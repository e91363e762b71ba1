import fc from "fast-check";
import { expect, test } from "vitest";
import { BadDocument } from "../../adapters/ieee2030-5/xml/xml-element.ts";
import { parseXml } from "../../adapters/ieee2030-5/xml/xml-parse.ts";
import { element, tag, writeXml } from "../../adapters/ieee2030-5/xml/xml-write.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
/** Text that XML 1.0 can hold. */
const printable = fc.string({ unit: "grapheme", maxLength: 60 });

test("what the writer writes, the parser reads back unchanged", () =>
  fc.assert(
    fc.property(printable, printable, (attribute, text) => {
      const written = writeXml(tag("DERControl", { href: attribute }, [element("description", text)]));
      const root = parseXml(bytes(written));
      expect(root.attributes.get("href")).toBe(attribute);
      expect(root.children[0]?.text).toBe(text.trim());
    }),
  ));

test("any string at all, even half a character, becomes a well-formed document", () =>
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 40 }), fc.string({ maxLength: 20 }), (wild, more) => {
      const text = `${wild}\u0000\uD800${more}`;
      expect(() => parseXml(bytes(writeXml(tag("DERControl", { href: text }, text))))).not.toThrow();
    }),
  ));

test("no bytes bring anything but a document or a BadDocument out of the parser", () =>
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 300 }), markup().map(bytes)), (input) => {
      try {
        parseXml(input);
      } catch (error) {
        expect(error).toBeInstanceOf(BadDocument);
      }
    }),
    { numRuns: 500 },
  ));

/** Strings that look like XML now and then. */
function markup() {
  const part = fc.constantFrom(
    "<a>",
    "</a>",
    '<DER xmlns="urn:ieee:std:2030.5:ns">',
    "</DER>",
    "<p:b/>",
    "&amp;",
    "&x;",
    "<![CDATA[",
    "]]>",
    "<!--",
    "-->",
    "<?xml version='1.0'?>",
    "<!DOCTYPE a [",
    "]>",
    'b="1"',
    "text",
    "\u0000",
  );
  return fc.array(part, { maxLength: 12 }).map((parts) => parts.join(""));
}
