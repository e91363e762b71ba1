import { describe, expect, test } from "vitest";
import { parseLinkFormat } from "../../adapters/coap/link/link-format.ts";

describe("/.well-known/core", () => {
  test("is read with all attributes", () => {
    const links = parseLinkFormat('</sensors/temp>;rt="temperature-c;, x";if="sensor";ct=0;obs,</a>');
    expect(links).toEqual([
      { path: "/sensors/temp", attributes: { rt: "temperature-c;, x", if: "sensor", ct: "0", obs: "" } },
      { path: "/a", attributes: {} },
    ]);
  });

  test("is read as a device writes it: with line ends, blanks and a comma at the end", () => {
    expect(parseLinkFormat("</3305/0>,\n </3312/0>;ver=1.1,\r\n").map(({ path }) => path)).toEqual([
      "/3305/0",
      "/3312/0",
    ]);
  });

  test("is empty where a device has nothing to tell", () => {
    expect(parseLinkFormat("")).toEqual([]);
  });

  test.each(["hello", "</a", '</a>;rt="x', "</a> </b>"])("that is none, %s, is a fault", (text) => {
    expect(() => parseLinkFormat(text)).toThrow(SyntaxError);
  });

  test("an attribute can't reach what every object has", () => {
    const [link] = parseLinkFormat("</a>;__proto__=x;constructor=y");
    expect(Object.keys(link?.attributes ?? {})).toEqual(["__proto__", "constructor"]);
  });

  test("is cut where a device lists without end", () => {
    expect(parseLinkFormat("</a>,".repeat(5000))).toHaveLength(500);
  });
});
