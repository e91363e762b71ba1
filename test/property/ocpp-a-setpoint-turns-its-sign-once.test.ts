import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { powerFromSetpoint, type SetpointBounds, setpointFromPower } from "../../adapters/ocpp/control/v2g-setpoint.ts";

const watts = (max: number) => fc.integer({ min: 0, max });
const line = fc.tuple(watts(8000), watts(8000), watts(8000));
const sum = ([a, b, c]: readonly number[]) => (a ?? 0) + (b ?? 0) + (c ?? 0);

const plain: fc.Arbitrary<SetpointBounds> = fc.record({
  limitW: watts(22_000),
  dischargeLimitW: watts(22_000).map((most) => (most === 0 ? 0 : -most)),
  minChargeW: watts(4000),
  minDischargeW: watts(4000),
  belowMin: fc.constant("pause" as const),
});
const byLine: fc.Arbitrary<SetpointBounds> = fc.tuple(plain, line, line).map(([bounds, limits, backs]) => ({
  ...bounds,
  limitW: sum(limits),
  dischargeLimitW: 0 - sum(backs),
  lines: {
    limitW: limits,
    dischargeLimitW: backs.map((back) => (back === 0 ? 0 : -back)) as [number, number, number],
  },
}));
const bounds = fc.oneof(plain, byLine);
const powerKW = fc.double({ min: -40, max: 40, noNaN: true });

describe("OCPP counts charging as positive, the core counts generation as positive", () => {
  test("consumption charges, generation discharges, and nothing is nothing", () => {
    fc.assert(
      fc.property(powerKW, bounds, (power, within) => {
        const { totalW } = setpointFromPower(power, within);
        if (power > 0) expect(totalW).toBeLessThanOrEqual(0);
        else if (power < 0) expect(totalW).toBeGreaterThanOrEqual(0);
        else expect(Object.is(totalW, 0)).toBe(true);
      }),
    );
  });

  test("there and back again is the same power, to a watt, where the car can do it", () => {
    const wide = {
      limitW: 40_000,
      dischargeLimitW: -40_000,
      minChargeW: 0,
      minDischargeW: 0,
      belowMin: "pause" as const,
    };
    fc.assert(
      fc.property(powerKW, (power) => {
        const back = powerFromSetpoint(setpointFromPower(power, wide));
        expect(Math.abs(back - power)).toBeLessThanOrEqual(0.001 + 1e-9);
        expect(Math.abs(back)).toBeLessThanOrEqual(Math.abs(power) + 1e-5);
      }),
    );
    expect(Object.is(powerFromSetpoint({ totalW: 0 }), 0)).toBe(true);
    expect(setpointFromPower(5, wide)).toEqual({ totalW: -5000 });
    expect(setpointFromPower(-7.4, wide)).toEqual({ totalW: 7400 });
  });
});

describe("a setpoint on the wire", () => {
  test("is a whole number of watts within dischargeLimit and limit, and no more than was ordered", () => {
    fc.assert(
      fc.property(powerKW, bounds, (power, within) => {
        const { totalW } = setpointFromPower(power, within);
        expect(Number.isInteger(totalW)).toBe(true);
        expect(totalW).toBeLessThanOrEqual(within.limitW);
        expect(totalW).toBeGreaterThanOrEqual(within.dischargeLimitW);
        expect(Math.abs(totalW)).toBeLessThanOrEqual(Math.abs(power) * 1000 + 0.01);
      }),
    );
  });

  test("is never between nothing and the least at which a car does anything", () => {
    fc.assert(
      fc.property(powerKW, plain, (power, within) => {
        const { totalW } = setpointFromPower(power, within);
        if (totalW > 0) expect(totalW).toBeGreaterThanOrEqual(Math.min(within.minChargeW, within.limitW));
        if (totalW < 0) expect(-totalW).toBeGreaterThanOrEqual(Math.min(within.minDischargeW, -within.dischargeLimitW));
      }),
    );
  });

  test("on three lines adds up, has one sign, and asks no line for more than it can do", () => {
    fc.assert(
      fc.property(powerKW, byLine, (power, within) => {
        const { totalW, lineW = [] } = setpointFromPower(power, within);
        expect(sum(lineW)).toBe(totalW);
        for (const [index, each] of lineW.entries()) {
          expect(Number.isInteger(each)).toBe(true);
          expect(each * totalW).toBeGreaterThanOrEqual(0);
          expect(each).toBeLessThanOrEqual(within.lines?.limitW[index] ?? Number.NaN);
          expect(each).toBeGreaterThanOrEqual(within.lines?.dischargeLimitW[index] ?? Number.NaN);
        }
      }),
    );
  });
});
