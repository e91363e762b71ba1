import fc from "fast-check";
import { expect, test } from "vitest";
import { parseStrictJson } from "../../src/market/strict-json.ts";

const read = (text: string) => parseStrictJson(Buffer.from(text));

/** What JSON.parse makes of a text, or nothing. */
function plain(text: string): { value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) };
  } catch {
    return undefined;
  }
}

/** True for a value in which nothing stands that is refused beyond JSON: only then must both agree. */
function isHarmless(value: unknown, depth = 0, parentKey = ""): boolean {
  if (typeof value === "number") return Number.isFinite(value);
  if (typeof value !== "object" || value === null) return true;
  if (depth >= 32) return false;
  if (Array.isArray(value)) return value.every((item) => isHarmless(item, depth + 1));
  return Object.entries(value).every(
    ([key, item]) =>
      key !== "__proto__" && !(key === "prototype" && parentKey === "constructor") && isHarmless(item, depth + 1, key),
  );
}

test("reads every harmless JSON text as JSON.parse does", () => {
  fc.assert(
    fc.property(fc.json({ maxDepth: 6 }), (text) => {
      const value = JSON.parse(text);
      fc.pre(isHarmless(value));
      expect(read(text)).toEqual({ ok: true, value });
    }),
  );
});

test("takes any text exactly when JSON.parse takes it, but for what is refused on top", () => {
  const letters = fc.constantFrom(...'{}[],:"\\ \n0123456789.-+eE', "a", "true", "null", '"a"', '"b"', "\\u0061", "é");
  const texts = fc.array(letters, { maxLength: 14 }).map((parts) => parts.join(""));
  fc.assert(
    fc.property(texts, (text) => {
      const expected = plain(text);
      const result = read(text);
      if (expected === undefined) expect(result.ok).toBe(false);
      else if (result.ok) expect(result.value).toEqual(expected.value);
      else expect(result.fault).toMatch(/twice|too large|deeper|not allowed/);
    }),
    { numRuns: 5000 },
  );
});

test("finds a key that stands twice at any place of any object, however it is spelled", () => {
  const objects = fc.dictionary(fc.string({ maxLength: 5 }), fc.integer(), { minKeys: 1, maxKeys: 5 });
  fc.assert(
    fc.property(objects, fc.nat(), fc.boolean(), (object, pick, escaped) => {
      const keys = Object.keys(object);
      const key = keys[pick % keys.length] ?? "";
      fc.pre(isHarmless(object));
      const again = escaped
        ? `"${[...Array(key.length).keys()].map((at) => `\\u${key.charCodeAt(at).toString(16).padStart(4, "0")}`).join("")}"`
        : JSON.stringify(key);
      const text = `{"outer":[0,${JSON.stringify(object).slice(0, -1)},${again}:1}]}`;
      expect(read(text)).toEqual({
        ok: false,
        path: key === "" ? "outer[1]" : `outer[1].${key}`,
        fault: "this key stands twice in one object",
      });
    }),
  );
});

test("reads 32 levels and no more", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 64 }), fc.boolean(), (depth, objects) => {
      const open = objects ? '{"a":' : "[";
      const close = objects ? "}" : "]";
      expect(read(open.repeat(depth) + 1 + close.repeat(depth)).ok).toBe(depth <= 32);
    }),
  );
});
