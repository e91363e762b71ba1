import fc from "fast-check";
import { expect, test } from "vitest";
import { readCurve } from "../../src/market/provider/curve-fields.ts";
import { WireFields } from "../../src/market/wire-fields.ts";

const read = (fields: object, sign: "export-positive" | "import-positive") =>
  readCurve(WireFields.of(fields, "x"), { sign, currency: "INR" });

test("a market that counts consumption positive says the same with all signs and bounds turned", () => {
  const power = fc.integer({ min: -100, max: 100 });
  fc.assert(
    fc.property(fc.array(power, { minLength: 1, maxLength: 6 }), power, power, (powers, a, b) => {
      const rising = powers.toSorted((x, y) => x - y);
      const [least, most] = [Math.min(a, b), Math.max(a, b)];
      const ours = read(
        {
          bidCurve: rising.map((powerKW, price) => ({ price, powerKW })),
          constraints: { minPowerKW: least, maxPowerKW: most, rampRateKWPerMin: 2, presentPowerKW: a },
        },
        "export-positive",
      );
      const theirs = read(
        {
          bidCurve: rising.map((powerKW, price) => ({ price, powerKW: -powerKW })),
          constraints: { minPowerKW: -most, maxPowerKW: -least, rampRateKWPerMin: 2, presentPowerKW: -a },
        },
        "import-positive",
      );
      expect(theirs).toEqual(ours);
      expect(ours?.curve.points.map((point) => point.powerKW)).toEqual(rising.map((kW) => kW + 0));
      expect(ours?.bounds).toMatchObject({ minPowerKW: least + 0, maxPowerKW: most + 0 });
    }),
  );
});
