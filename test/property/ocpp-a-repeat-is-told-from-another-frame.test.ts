import fc from "fast-check";
import { expect, test } from "vitest";
import { fingerprint } from "../../adapters/ocpp/link/fingerprint.ts";

test("two frames that differ in one letter have other fingerprints", () => {
  fc.assert(
    fc.property(fc.string({ minLength: 1, maxLength: 800 }), fc.nat(), fc.nat(0xd7ff), (text, place, code) => {
      const at = place % text.length;
      const changed = text.slice(0, at) + String.fromCharCode(code) + text.slice(at + 1);
      expect(fingerprint(changed) === fingerprint(text)).toBe(changed === text);
      expect(fingerprint(`${text} `)).not.toBe(fingerprint(text));
    }),
    { numRuns: 5000 },
  );
});
