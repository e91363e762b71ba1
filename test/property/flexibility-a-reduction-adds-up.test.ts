import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { deliveredPercent, deliveredReduction } from "../../src/flexibility/delivered.ts";
import { reductionSetpoints } from "../../src/flexibility/reduction.ts";

const kW = (min: number, max: number) => fc.double({ min, max, noNaN: true, noDefaultInfinity: true });

describe("a reduction as setpoints", () => {
  const resources = fc
    .array(fc.record({ baselineKW: kW(-50, 5), highestKW: kW(-10, 10) }), { maxLength: 20 })
    .map((list) => list.map((one, index) => ({ era: `load-${index}`, ...one })));

  test("adds up to what was asked, or says what is short", () => {
    fc.assert(
      fc.property(resources, kW(0, 300), (list, reductionKW) => {
        const { setpoints, shortfallKW } = reductionSetpoints(reductionKW, list);
        const sumKW = setpoints.reduce((sum, one) => sum + one.reductionKW, 0);
        expect(Math.abs(sumKW + shortfallKW - reductionKW)).toBeLessThan(1e-9);
      }),
    );
  });

  test("never asks anybody to consume more than without it, nor for more than it has", () => {
    fc.assert(
      fc.property(resources, kW(0, 300), (list, reductionKW) => {
        const { setpoints } = reductionSetpoints(reductionKW, list);
        for (const [index, one] of setpoints.entries()) {
          const { baselineKW = 0, highestKW = 0 } = list[index] ?? {};
          expect(one.powerKW).toBeGreaterThanOrEqual(baselineKW);
          expect(one.powerKW).toBeLessThanOrEqual(Math.max(baselineKW, highestKW) + 1e-9);
        }
      }),
    );
  });

  test("is refused with a minus, which would mean more consumption", () => {
    expect(() => reductionSetpoints(-2, [])).toThrow(/magnitude/);
    expect(() => reductionSetpoints(Number.NaN, [])).toThrow(/magnitude/);
  });

  test("takes from each in proportion to what it has", () => {
    const list = [
      { era: "a", baselineKW: -30, highestKW: 0 },
      { era: "b", baselineKW: -10, highestKW: 0 },
    ];
    expect(reductionSetpoints(20, list).setpoints).toEqual([
      { era: "a", powerKW: -15, reductionKW: 15 },
      { era: "b", powerKW: -5, reductionKW: 5 },
    ]);
    expect(reductionSetpoints(50, list).shortfallKW).toBe(10);
  });
});

describe("what was delivered", () => {
  test("is the baseline less the use, for two meters in two intervals", () => {
    const meters = [
      { meterId: "001", baselineKW: [-100, -90], usageKW: [-75, -67.5] },
      { meterId: "002", baselineKW: [-80, -70], usageKW: [-55, -47.5] },
    ];
    expect(deliveredReduction(meters, 2, { clampAtZero: true })).toEqual({ deliveredKW: [50, 45], gaps: [] });
  });

  test("counts nothing for a meter that used more, where the programme says so, and takes it off where it does not", () => {
    const meters = [
      { meterId: "saver", baselineKW: [-10], usageKW: [-4] },
      { meterId: "waster", baselineKW: [-10], usageKW: [-12] },
    ];
    expect(deliveredReduction(meters, 1, { clampAtZero: true }).deliveredKW).toEqual([6]);
    expect(deliveredReduction(meters, 1, { clampAtZero: false }).deliveredKW).toEqual([4]);
  });

  test("is nothing where the meter was silent, and that is told", () => {
    const meters = [{ meterId: "001", baselineKW: [-10, -10], usageKW: [undefined, -5] }];
    expect(deliveredReduction(meters, 2, { clampAtZero: true })).toEqual({
      deliveredKW: [0, 5],
      gaps: [{ meterId: "001", interval: 0 }],
    });
  });

  test.each([
    [-1200, -420, 750, 780, 104],
    [-2000, -650, 1400, 1350, 96.4],
  ])("%d kW brought to %d kW, of %d promised", (baselineKW, usageKW, committedKW, expectedKW, percent) => {
    const meters = [{ meterId: "m", baselineKW: [baselineKW], usageKW: [usageKW] }];
    const [deliveredKW = 0] = deliveredReduction(meters, 1, { clampAtZero: true }).deliveredKW;
    expect(deliveredKW).toBe(expectedKW);
    expect(deliveredPercent(deliveredKW, committedKW)).toBeCloseTo(percent, 1);
    expect(deliveredPercent(1, 0)).toBeUndefined();
  });
});
