import fc from "fast-check";
import { expect, test } from "vitest";
import { marketFromPowerKW, powerKWFromMarket, type SeedDialect } from "../../src/market/dialects/seed-shape.ts";

const powerKW = fc.double({ min: -1e6, max: 1e6, noNaN: true });
const sign = fc.constantFrom<SeedDialect["sign"]>("export-positive", "import-positive");

test("a power that goes to the market and back is the same power", () => {
  fc.assert(
    fc.property(powerKW, sign, (power, rule) => {
      expect(powerKWFromMarket(marketFromPowerKW(power, rule), rule)).toBe(power + 0);
    }),
  );
});

test("consumption is negative in the seed's dialect and positive only where the market is declared so", () => {
  fc.assert(
    fc.property(fc.double({ min: 1e-6, max: 1e6, noNaN: true }), (magnitude) => {
      expect(marketFromPowerKW(-magnitude, "export-positive")).toBe(-magnitude);
      expect(marketFromPowerKW(-magnitude, "import-positive")).toBe(magnitude);
    }),
  );
});

test("nothing is plain zero, never minus zero", () => {
  expect(Object.is(powerKWFromMarket(0, "import-positive"), 0)).toBe(true);
  expect(Object.is(powerKWFromMarket(-0, "export-positive"), 0)).toBe(true);
});
