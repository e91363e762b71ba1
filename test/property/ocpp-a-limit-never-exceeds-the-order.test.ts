import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type ConnectorConfig,
  importKWFrom,
  importLimitKW,
  powerFromImportKW,
  type RateUnit,
  ratingOf,
  wireLimit,
} from "../../adapters/ocpp/control/import-limit.ts";

const AC = { current: "AC", voltageV: 230, maxA: 32, minA: 6, belowMin: "pause" } as const;

const limitOf = (importKW: number, config: Partial<ConnectorConfig> & { phases: number }, unit: RateUnit) =>
  wireLimit(importKW, ratingOf({ ...AC, ...config }), unit);

const rating = fc.record({
  current: fc.constant("AC" as const),
  phases: fc.constantFrom(1, 2, 3),
  voltageV: fc.double({ min: 200, max: 260, noNaN: true }),
  maxA: fc.double({ min: 6, max: 80, noNaN: true }),
  minA: fc.constantFrom(0, 6),
  belowMin: fc.constant("pause" as const),
}) as fc.Arbitrary<ConnectorConfig>;
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
        const told = importKWFrom(limitOf(importKW, wiring, inUnit), wiring);
        expect(told).toBeLessThanOrEqual(importKW + 2e-5);
        expect(told).toBeLessThanOrEqual((wiring.maxA * wiring.voltageV * wiring.phases) / 1000 + 2e-5);
      }),
    );
  });

  test("loses no more than one step of the wire where the car can run", () => {
    fc.assert(
      fc.property(fc.double({ min: 6, max: 32, noNaN: true }), fc.constantFrom(1, 3), unit, (amps, phases, inUnit) => {
        const wiring = { ...AC, phases };
        const importKW = (amps * 230 * phases) / 1000;
        const stepKW = inUnit === "A" ? (0.1 * 230 * phases) / 1000 : 0.001;
        expect(importKWFrom(limitOf(importKW, wiring, inUnit), wiring)).toBeGreaterThan(importKW - stepKW - 2e-5);
      }),
    );
  });

  test("never is between nothing and the least current of a car", () => {
    fc.assert(
      fc.property(consumptionKW, rating, (powerKW, wiring) => {
        const { value } = limitOf(importLimitKW(powerKW) ?? Number.NaN, wiring, "A");
        expect(value === 0 || value >= wiring.minA).toBe(true);
      }),
    );
  });

  test("has one decimal in amps, as the schema of 1.6 demands, and none in watts", () => {
    fc.assert(
      fc.property(consumptionKW, rating, unit, (powerKW, wiring, inUnit) => {
        const { value } = limitOf(importLimitKW(powerKW) ?? Number.NaN, wiring, inUnit);
        const steps = inUnit === "A" ? value * 10 : value;
        expect(Math.abs(steps - Math.round(steps))).toBeLessThan(1e-9);
      }),
    );
  });

  test("is right for one and for three phases", () => {
    expect(limitOf(11.04, { phases: 3 }, "A").value).toBe(16);
    expect(limitOf(3.68, { phases: 1 }, "A").value).toBe(16);
    expect(limitOf(11.04, { phases: 3 }, "W").value).toBe(11_040);
    expect(limitOf(100, { phases: 3 }, "A").value).toBe(32);
  });

  test("below the least it pauses, or runs at the least, as configured", () => {
    expect(limitOf(2, { phases: 3, belowMin: "pause" }, "A").value).toBe(0);
    expect(limitOf(2, { phases: 3, belowMin: "min" }, "A").value).toBe(6);
    expect(limitOf(2, { phases: 3, belowMin: "min" }, "W").value).toBe(4140);
    expect(limitOf(0, { phases: 3, belowMin: "min" }, "A").value).toBe(0);
    expect(limitOf(4.14, { phases: 3, belowMin: "pause" }, "A").value).toBe(6);
    expect(limitOf(4.1399999, { phases: 3, belowMin: "pause" }, "A").value).toBe(6);
  });

  test("of direct current knows no lines and no least current", () => {
    const dc = { current: "DC", phases: 3, maxKW: 50 } as const;
    expect(limitOf(100, dc, "W").value).toBe(50_000);
    expect(limitOf(0.7, dc, "W").value).toBe(700);
    expect(limitOf(0.7, { ...dc, minKW: 1 }, "W").value).toBe(0);
  });
});
