import { describe, expect, test } from "vitest";
import { type Format, PayloadError, type RawValue } from "../../adapters/coap/payload/format.ts";
import { readPayload, type ValuePlace, valueIn, writePayload } from "../../adapters/coap/payload/payload.ts";

const read = async (format: Format, bytes: Uint8Array, place: ValuePlace) =>
  valueIn(await readPayload(format, bytes), place);
const text = (value: string) => Buffer.from(value, "utf8");
const hex = (digits: string) => Buffer.from(digits.replaceAll(" ", ""), "hex");

describe("what a device answers", () => {
  test("in plain text is the value", async () => {
    expect(await read("text", text(" -2400.5\n"), {})).toBe("-2400.5");
  });

  test("in JSON stands at a pointer, and what is not there is absent", async () => {
    const body = text('{"meter":{"a/b":[1,{"power":7}]},"none":null}');
    expect(await read("json", body, { at: "/meter/a~1b/1/power" })).toBe(7);
    expect(await read("json", body, { at: "/meter/other" })).toBeUndefined();
    expect(await read("json", body, { at: "/none" })).toBeUndefined();
    expect(await read("json", body, { at: "/constructor" })).toBeUndefined();
  });

  test("in a list of rows is found by what stands beside it", async () => {
    const body = text('{"G":[[0,9103,4],[0,4105,351.2],[0,4106,12]]}');
    const place = (number: number) => ({ row: { list: "/G", where: { 1: number }, take: "2" } });
    expect(await read("json", body, place(4105))).toBe(351.2);
    expect(await read("json", body, place(4205))).toBeUndefined();
  });

  test("in CBOR is read by the examples of RFC 8949, appendix A", async () => {
    expect(await read("cbor", hex("a2 6161 01 6162 82 02 03"), { at: "/a" })).toBe(1);
    expect(await read("cbor", hex("a2 6161 01 6162 82 02 03"), { at: "/b/1" })).toBe(3);
    expect(await read("cbor", hex("f9 c400"), { at: "" })).toBe(-4);
    expect(await read("cbor", hex("fb c010666666666666"), { at: "" })).toBe(-4.1);
    expect(await read("cbor", hex("39 03e7"), { at: "" })).toBe(-1000);
  });

  test("in SenML has its base name before it and its base value added (RFC 8428, 4.1)", async () => {
    const body = text(
      '[{"bn":"urn:dev:ow:1:","bv":100,"n":"power","v":-20.5},{"n":"on","vb":true},{"bn":"x:","n":"y","vs":"z"}]',
    );
    expect(await read("senml-json", body, { at: "urn:dev:ow:1:power" })).toBe(79.5);
    expect(await read("senml-json", body, { at: "urn:dev:ow:1:on" })).toBe(true);
    expect(await read("senml-json", body, { at: "x:y" })).toBe("z");
    expect(await read("senml-json", body, { at: "power" })).toBeUndefined();
  });

  test("in SenML with CBOR has numbers for names (RFC 8428, 6)", async () => {
    // [{-2: "m:", 0: "p", 2: -5}]
    expect(await read("senml-cbor", hex("81 a3 21 62 6d3a 00 61 70 02 24"), { at: "m:p" })).toBe(-5);
  });

  test.each([
    ["text", hex("ff fe")],
    ["json", text('{"a":1')],
    ["json", hex("ff")],
    ["cbor", hex("a2 61")],
    ["cbor", hex("a2 6161 01 6161 02")],
    ["cbor", hex("9f")],
    ["senml-json", text('{"n":"a","v":1}')],
    ["senml-json", text('[{"n":1,"v":1}]')],
    ["senml-json", text('[{"n":"a","v":"1"}]')],
    ["senml-json", text("[1]")],
    ["senml-cbor", hex("81 f6")],
  ] as const)("that is no %s is a fault and no value", async (format, bytes) => {
    await expect(readPayload(format, bytes)).rejects.toThrow(PayloadError);
  });
});

describe("what a device is told", () => {
  const values = (...entries: [string, RawValue][]) => new Map(entries);

  test("in plain text is the value alone; a boolean is 1 or 0", async () => {
    expect(Buffer.from(await writePayload("text", values(["", 30]))).toString()).toBe("30");
    expect(Buffer.from(await writePayload("text", values(["", true]))).toString()).toBe("1");
    expect(Buffer.from(await writePayload("text", values(["", false]))).toString()).toBe("0");
  });

  test("in JSON has what is written and nothing else", async () => {
    const bytes = await writePayload("json", values(["/power", -3000], ["/limits/seconds", 60], ["/limits/on", true]));
    expect(JSON.parse(Buffer.from(bytes).toString())).toEqual({ power: -3000, limits: { seconds: 60, on: true } });
  });

  test("in CBOR is the shortest form (RFC 8949, 4.2)", async () => {
    expect(Buffer.from(await writePayload("cbor", values(["/a", 1]))).toString("hex")).toBe("a1616101");
  });

  test.each(["senml-json", "senml-cbor"] as const)("in %s is read back the same", async (format) => {
    const written = await writePayload(format, values(["/3312/0/5851", 40], ["/3312/0/5850", true]));
    expect(await read(format, written, { at: "/3312/0/5851" })).toBe(40);
    expect(await read(format, written, { at: "/3312/0/5850" })).toBe(true);
  });

  test("in SenML with CBOR carries the labels of RFC 8428", async () => {
    const written = await writePayload("senml-cbor", values(["p", -5]));
    expect(Buffer.from(written).toString("hex")).toBe("81a20061700224");
  });
});
