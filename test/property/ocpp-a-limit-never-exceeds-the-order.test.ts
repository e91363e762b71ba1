import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type ConnectorRating,
  importKWFrom,
  importLimitKW,
  powerFromImportKW,
  wireLimit,
} from "../../adapters/ocpp/control/import-limit.ts";

const rating = fc.record({
  phases: fc.constantFrom(1, 2, 3),
  voltageV: fc.double({ min: 200, max: 260, noNaN: true }),
  maxA: fc.double({ min: 6, max: 80, noNaN: true }),
  minA: fc.constantFrom(0, 6),
  belowMin: fc.constant("pause" as const),
}) as fc.Arbitrary<ConnectorRating>;
const unit = fc.constantFrom("A" as const, "W" as const);
const consumptionKW = fc.double({ min: -60, max: 0, noNaN: true });

describe("OCPP counts import as positive, the core counts export as positive", () => {
  test("consumption becomes a limit of the same magnitude, and never a negative one", () => {
    fc.assert(
      fc.property(consumptionKW, (powerKW) => {
        const importKW = importLimitKW(powerKW);
        expect(importKW).toBeGreaterThanOrEqual(0);
        expect(importKW).toBe(Math.abs(powerKW));
      }),
    );
  });

  test("generation has no limit that would stand for it", () => {
    fc.assert(
      fc.property(fc.double({ min: 1e-5, max: 1e6, noNaN: true }), (powerKW) => {
        expect(importLimitKW(powerKW)).toBeUndefined();
      }),
    );
    expect(importLimitKW(Number.NaN)).toBeUndefined();
  });

  test("there and back again gives the same power", () => {
    fc.assert(
      fc.property(consumptionKW, (powerKW) => {
        expect(powerFromImportKW(importLimitKW(powerKW) ?? Number.NaN)).toBeCloseTo(powerKW, 12);
      }),
    );
    expect(Object.is(powerFromImportKW(0), 0)).toBe(true);
  });
});

describe("a limit on the wire", () => {
  test("stands for no more than the order, in amps and in watts", () => {
    fc.assert(
      fc.property(consumptionKW, rating, unit, (powerKW, wiring, inUnit) => {
        const importKW = importLimitKW(powerKW) ?? Number.NaN;
        const told = importKWFrom(wireLimit(importKW, wiring, inUnit), wiring);
        expect(told).toBeLessThanOrEqual(importKW + 2e-5);
        expect(told).toBeLessThanOrEqual((wiring.maxA * wiring.voltageV * wiring.phases) / 1000 + 2e-5);
      }),
    );
  });

  test("loses no more than one step of the wire where the car can run", () => {
    fc.assert(
      fc.property(fc.double({ min: 6, max: 32, noNaN: true }), fc.constantFrom(1, 3), unit, (amps, phases, inUnit) => {
        const wiring = { phases, voltageV: 230, maxA: 32, minA: 6, belowMin: "pause" as const };
        const importKW = (amps * 230 * phases) / 1000;
        const stepKW = inUnit === "A" ? (0.1 * 230 * phases) / 1000 : 0.001;
        expect(importKWFrom(wireLimit(importKW, wiring, inUnit), wiring)).toBeGreaterThan(importKW - stepKW - 2e-5);
      }),
    );
  });

  test("never is between nothing and the least current of a car", () => {
    fc.assert(
      fc.property(consumptionKW, rating, (powerKW, wiring) => {
        const { value } = wireLimit(importLimitKW(powerKW) ?? Number.NaN, wiring, "A");
        expect(value === 0 || value >= wiring.minA).toBe(true);
      }),
    );
  });

  test("has one decimal in amps, as the schema of 1.6 demands, and none in watts", () => {
    fc.assert(
      fc.property(consumptionKW, rating, unit, (powerKW, wiring, inUnit) => {
        const { value } = wireLimit(importLimitKW(powerKW) ?? Number.NaN, wiring, inUnit);
        const steps = inUnit === "A" ? value * 10 : value;
        expect(Math.abs(steps - Math.round(steps))).toBeLessThan(1e-9);
      }),
    );
  });

  test("is right for one and for three phases", () => {
    const house = { voltageV: 230, maxA: 32, minA: 6, belowMin: "pause" as const };
    expect(wireLimit(11.04, { ...house, phases: 3 }, "A").value).toBe(16);
    expect(wireLimit(3.68, { ...house, phases: 1 }, "A").value).toBe(16);
    expect(wireLimit(11.04, { ...house, phases: 3 }, "W").value).toBe(11_040);
    expect(wireLimit(100, { ...house, phases: 3 }, "A").value).toBe(32);
  });

  test("below the least it pauses, or runs at the least, as configured", () => {
    const house = { voltageV: 230, maxA: 32, minA: 6, phases: 3 };
    expect(wireLimit(2, { ...house, belowMin: "pause" }, "A").value).toBe(0);
    expect(wireLimit(2, { ...house, belowMin: "min" }, "A").value).toBe(6);
    expect(wireLimit(2, { ...house, belowMin: "min" }, "W").value).toBe(4140);
    expect(wireLimit(0, { ...house, belowMin: "min" }, "A").value).toBe(0);
    expect(wireLimit(4.14, { ...house, belowMin: "pause" }, "A").value).toBe(6);
    expect(wireLimit(4.1399999, { ...house, belowMin: "pause" }, "A").value).toBe(6);
  });
});
