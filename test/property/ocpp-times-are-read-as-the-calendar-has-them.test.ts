import fc from "fast-check";
import { expect, test } from "vitest";
import { canonicalMs } from "../../adapters/ocpp/link/timestamp.ts";

const FROM_MS = Date.UTC(2000, 0, 1);
const TO_MS = Date.UTC(2100, 0, 1) - 1;

test("a time in one of the two usual forms is the one that Date reads", () => {
  fc.assert(
    fc.property(fc.integer({ min: FROM_MS, max: TO_MS }), (timeMs) => {
      const text = new Date(timeMs).toISOString();
      // The one day that only leap years have is left to Date.
      const wanted = text.slice(5, 10) === "02-29" ? undefined : timeMs;
      expect(canonicalMs(text)).toBe(wanted);
      const seconds = `${text.slice(0, 19)}Z`;
      expect(canonicalMs(seconds)).toBe(wanted === undefined ? undefined : Math.floor(timeMs / 1000) * 1000);
    }),
    { numRuns: 5000 },
  );
});

test("each day of a century, also around its leap days", () => {
  for (let timeMs = FROM_MS; timeMs <= TO_MS; timeMs += 86_400_000) {
    const text = new Date(timeMs).toISOString();
    if (text.slice(5, 10) !== "02-29") expect(canonicalMs(text)).toBe(timeMs);
  }
});

test("with one letter changed it is another time, or none", () => {
  const arbitrary = fc.record({
    timeMs: fc.integer({ min: FROM_MS, max: TO_MS }),
    at: fc.nat({ max: 23 }),
    letter: fc.string({ minLength: 1, maxLength: 1 }),
  });
  fc.assert(
    fc.property(arbitrary, ({ timeMs, at, letter }) => {
      const text = new Date(timeMs).toISOString();
      const changed = text.slice(0, at) + letter + text.slice(at + 1);
      const read = canonicalMs(changed);
      if (read !== undefined) expect(new Date(read).toISOString()).toBe(changed);
    }),
    { numRuns: 5000 },
  );
});
