import { describe, expect, test } from "vitest";
import { BadDocument, childOf, integerOf } from "../../adapters/ieee2030-5/xml/xml-element.ts";
import { MAX_XML_BYTES, parseXml } from "../../adapters/ieee2030-5/xml/xml-parse.ts";
import { echo, writeXml } from "../../adapters/ieee2030-5/xml/xml-write.ts";

const NS = 'xmlns="urn:ieee:std:2030.5:ns"';
const parse = (text: string) => parseXml(new TextEncoder().encode(text));
const reasonOf = (text: string): string => {
  try {
    parse(text);
  } catch (error) {
    expect(error).toBeInstanceOf(BadDocument);
    return (error as BadDocument).message;
  }
  throw new Error("it was taken");
};

describe("refused", () => {
  test.each([
    ["a document type", `<!DOCTYPE DER [<!ENTITY a "b">]><DER ${NS}/>`, "document type"],
    ["an external entity", `<!DOCTYPE DER SYSTEM "file:///etc/passwd"><DER ${NS}/>`, "document type"],
    ["an unknown entity", `<DER ${NS}>&secret;</DER>`, "entity"],
    ["a second root", `<DER ${NS}/><DER ${NS}/>`, "not well-formed"],
    ["trailing junk", `<DER ${NS}/>junk`, "not well-formed"],
    ["a missing end", `<DER ${NS}><a>`, "not well-formed"],
    ["a wrong end", `<DER ${NS}><a></b></DER>`, "not well-formed"],
    ["an attribute twice", `<DER ${NS} a="1" a="2"/>`, "not well-formed"],
    ["a prefix of nothing", `<DER ${NS}><x:a/></DER>`, "not well-formed"],
    ["no namespace", "<DER/>", "namespace"],
    ["another namespace", '<DER xmlns="urn:nobody"/>', "namespace"],
    ["another encoding", `<?xml version="1.0" encoding="UTF-16"?><DER ${NS}/>`, "encoding"],
    ["another XML", `<?xml version="1.1"?><DER ${NS}/>`, "expected 1.0"],
    ["nothing", "", "not well-formed"],
  ])("%s", (_, text, reason) => {
    expect(reasonOf(text)).toContain(reason);
  });

  test("33 levels, and 20000 without taking long over it", () => {
    expect(() => parse(`<DER ${NS}>${"<a>".repeat(31)}${"</a>".repeat(31)}</DER>`)).not.toThrow();
    expect(reasonOf(`<DER ${NS}>${"<a>".repeat(32)}${"</a>".repeat(32)}</DER>`)).toContain("deeper");
    expect(reasonOf(`<DER ${NS}>${"<a>".repeat(20_000)}`)).toContain("deeper");
  });

  test("more elements, attributes or bytes than a device needs", () => {
    expect(reasonOf(`<DER ${NS}>${"<a/>".repeat(10_001)}</DER>`)).toContain("elements");
    const many = Array.from({ length: 40 }, (_, index) => `a${index}="1"`).join(" ");
    expect(reasonOf(`<DER ${NS} ${many}/>`)).toContain("attributes");
    expect(reasonOf(" ".repeat(MAX_XML_BYTES + 1))).toContain("longer");
  });

  test("bytes that are not UTF-8", () => {
    expect(() => parseXml(Uint8Array.of(0x3c, 0xff, 0x3e))).toThrow("not UTF-8");
  });
});

test("the namespace of the drafts is read as today's, and foreign extensions are not mistaken for the standard", () => {
  const root = parse(
    '<s:DERStatus xmlns:s="http://ieee.org/2030.5" xmlns:v="urn:vendor"><v:readingTime>1</v:readingTime>' +
      "<s:readingTime> 7 </s:readingTime></s:DERStatus>",
  );
  expect(childOf(root, "readingTime")?.text).toBe("7");
});

test("a number must be one, and may stand there only once", () => {
  const root = parse(`<A ${NS}><a>1e5</a><b>12</b><c>1</c><c>2</c><d>300</d></A>`);
  expect(() => integerOf(root, "a", 0, 1e9)).toThrow("whole number");
  expect(integerOf(root, "b", 0, 100)).toBe(12);
  expect(() => integerOf(root, "c", 0, 100)).toThrow("at most one");
  expect(() => integerOf(root, "d", 0, 255)).toThrow("0..255");
  expect(integerOf(root, "absent", 0, 1)).toBeUndefined();
});

test("what a device sent of CSIP-AUS is shown again in its namespace, in schema order, and of others nothing", () => {
  const root = parse(
    `<DERControlBase ${NS} xmlns:a="https://csipaus.org/ns/v1.3" xmlns:v="urn:vendor"><a:opModExpLimW>2</a:opModExpLimW>` +
      "<v:secret>1</v:secret><a:opModImpLimW>1</a:opModImpLimW><rampTms>5</rampTms></DERControlBase>",
  );
  expect(writeXml(echo(root))).toBe(
    `<DERControlBase ${NS} xmlns:csipaus13="https://csipaus.org/ns/v1.3"><rampTms>5</rampTms>` +
      "<csipaus13:opModImpLimW>1</csipaus13:opModImpLimW><csipaus13:opModExpLimW>2</csipaus13:opModExpLimW></DERControlBase>",
  );
});
