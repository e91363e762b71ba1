import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { lfdiOf, ownMrid, sfdiOf } from "../../simulators/der/identity.ts";
import { meterWattsFromKW, orderedKW, type Ratings } from "../../simulators/der/power-signs.ts";
import { createPki } from "../../simulators/pki.ts";

const positive = fc.double({ min: 0.1, max: 100, noNaN: true });
const ratings: fc.Arbitrary<Ratings> = fc.record(
  { maxKW: positive, maxChargeKW: positive, maxDischargeKW: positive },
  { requiredKeys: ["maxKW", "maxChargeKW"] },
);
const percent = fc.integer({ min: -10_000, max: 10_000 });

describe("powers of the simulated DER", () => {
  test("a positive order gives out and a negative one takes in, each as a share of its own base", () => {
    fc.assert(
      fc.property(percent, ratings, (fixedW, bases) => {
        const powerKW = orderedKW({ fixedW }, bases) ?? Number.NaN;
        expect(Math.sign(powerKW)).toBe(Math.sign(fixedW));
        const baseKW = fixedW < 0 ? bases.maxChargeKW : (bases.maxDischargeKW ?? bases.maxKW);
        expect(Math.abs(powerKW)).toBeCloseTo((baseKW * Math.abs(fixedW)) / 10_000, 9);
      }),
    );
    const bases = { maxKW: 5, maxChargeKW: 4, maxDischargeKW: 3 };
    expect(orderedKW({ fixedW: 10_000 }, bases)).toBe(3);
    expect(orderedKW({ fixedW: -10_000 }, bases)).toBe(-4);
    expect(orderedKW({ targetW: -2500 }, bases)).toBe(-2.5);
    expect(orderedKW({ maxLimW: 5000 }, bases)).toBeUndefined();
  });

  test("a meter counts what comes in as positive, and nothing as 0", () => {
    fc.assert(
      fc.property(fc.double({ min: -1000, max: 1000, noNaN: true }), (powerKW) => {
        const watts = meterWattsFromKW(powerKW);
        expect(Math.abs(-watts / 1000 - powerKW)).toBeLessThanOrEqual(0.0005 + 1e-9);
      }),
    );
    expect(meterWattsFromKW(3.481)).toBe(-3481);
    expect(Object.is(meterWattsFromKW(0), 0)).toBe(true);
  });
});

describe("identity of the simulated DER", () => {
  test("the short identifier is the standard's", () => {
    expect(sfdiOf("3E4F45AB31EDFE5B67E343E5E4562E31984E23E5")).toBe("167261211391");
    expect(sfdiOf("68B96B76A605382577DF9320655D0A0971BB9D9F")).toBe("281117141545");
  });

  test("the long one is the start of the certificate's fingerprint, and mRIDs of a name stay", async () => {
    const { cert } = await (await createPki()).issue("device", "a");
    const lfdi = lfdiOf(cert);
    expect(lfdi).toMatch(/^[0-9A-F]{40}$/);
    expect(ownMrid(lfdi, "W")).toMatch(/^[0-9A-F]{24}00009F1C$/);
    expect(ownMrid(lfdi, "W")).toBe(ownMrid(lfdi, "W"));
    expect(ownMrid(lfdi, "W")).not.toBe(ownMrid(lfdi, "Wh import"));
  });
});
