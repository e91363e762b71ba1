import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { clearFlex, type FlexPoint, slopeOf } from "../../src/market/provider/flex-clearing.ts";

const steps = (prices: readonly number[], capacities: readonly number[]): FlexPoint[] =>
  prices.map((pricePerKWh, at) => ({ pricePerKWh, capacityKW: capacities[at] ?? 0 }));
const PRICES = [1.5, 2.5, 3.5, 5];

describe("one price for all, and the need is met", () => {
  test("the published offer against needs of its size: 50 and 45 kW at 3.5", () => {
    expect(clearFlex([steps(PRICES, [90, 70, 50, 30])], 50, "falling")).toEqual({
      pricePerKWh: 3.5,
      clearedKW: [50],
      unmetKW: 0,
    });
    expect(clearFlex([steps(PRICES, [80, 60, 45, 25])], 45, "falling")).toEqual({
      pricePerKWh: 3.5,
      clearedKW: [45],
      unmetKW: 0,
    });
  });

  test("between two steps the dearest price that still brings enough counts, and the rest is cut in proportion", () => {
    const offers = [steps(PRICES, [90, 70, 50, 30]), steps(PRICES, [90, 70, 50, 30])];
    const { pricePerKWh, clearedKW } = clearFlex(offers, 120, "falling");
    expect(pricePerKWh).toBe(2.5);
    expect(clearedKW).toEqual([60, 60]);
  });

  test("rising offers are paid what the last one needed asks for", () => {
    const offers = [steps([1, 3], [20, 40]), steps([2], [30])];
    expect(clearFlex(offers, 50, "rising")).toEqual({ pricePerKWh: 2, clearedKW: [20, 30], unmetKW: 0 });
    expect(clearFlex(offers, 20, "rising")).toEqual({ pricePerKWh: 1, clearedKW: [20, 0], unmetKW: 0 });
  });

  test("too little is all there is, and what is missing is said", () => {
    expect(clearFlex([steps(PRICES, [90, 70, 50, 30])], 200, "falling")).toEqual({
      pricePerKWh: 1.5,
      clearedKW: [90],
      unmetKW: 110,
    });
  });

  test("no offers, no need", () => {
    expect(clearFlex([], 50, "falling")).toEqual({ clearedKW: [], unmetKW: 50 });
    expect(clearFlex([steps([1], [10])], 0, "falling")).toEqual({ clearedKW: [0], unmetKW: 0 });
  });
});

test("an offer that rises and falls is neither", () => {
  expect(slopeOf(steps([1, 2, 3], [10, 20, 15]))).toBe("mixed");
  expect(slopeOf(steps([1, 2], [10, 10]))).toBeUndefined();
});

const kW = fc.integer({ min: 0, max: 1000 }).map((value) => value / 8);
const offers = fc.array(fc.array(kW, { minLength: 1, maxLength: 5 }), { maxLength: 6 });

test.each(["rising", "falling"] as const)(
  "%s: all adds up, nobody gives more than was offered at the price",
  (slope) => {
    fc.assert(
      fc.property(offers, kW, (capacities, needKW) => {
        const lists = capacities.map((list) => {
          const sorted = list.toSorted((a, b) => (slope === "rising" ? a - b : b - a));
          return steps(
            sorted.map((_, index) => index + 1),
            sorted,
          );
        });
        const { pricePerKWh = 0, clearedKW, unmetKW } = clearFlex(lists, needKW, slope);
        const total = clearedKW.reduce((sum, one) => sum + one, 0);
        expect(Math.abs(total + unmetKW - needKW)).toBeLessThan(1e-6);
        const most = lists.map((list) => Math.max(...list.map((one) => one.capacityKW)));
        if (unmetKW > 1e-9)
          expect(total).toBeCloseTo(
            most.reduce((sum, one) => sum + one, 0),
            6,
          );
        for (const [index, one] of clearedKW.entries()) {
          const at =
            slope === "rising"
              ? lists[index]?.findLast((point) => point.pricePerKWh <= pricePerKWh)
              : lists[index]?.find((point) => point.pricePerKWh >= pricePerKWh);
          expect(one).toBeGreaterThanOrEqual(0);
          expect(one).toBeLessThanOrEqual((at?.capacityKW ?? 0) + 1e-9);
        }
      }),
    );
  },
);
