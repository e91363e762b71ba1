import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { generatorCurve, loadCurve, storageCurve } from "../../src/bidding/curve-from-capability.ts";
import { curveFromObjective } from "../../src/bidding/curve-from-objective.ts";
import { urgency } from "../../src/bidding/urgency.ts";
import {
  type BidCurve,
  clipCurve,
  consumesAtAnyPrice,
  curveFault,
  powerAt,
  powerRangeAt,
} from "../../src/model/bid-curve.ts";

const seedCurve: BidCurve = {
  shape: "LINEAR",
  currency: "INR",
  points: [
    { pricePerKWh: 0.08, powerKW: -11 },
    { pricePerKWh: 0.1, powerKW: -5 },
    { pricePerKWh: 0.12, powerKW: 0 },
  ],
};

const number = (min: number, max: number) => fc.double({ min, max, noNaN: true });

/** A sound curve: sorted prices, sorted powers, of one to eight points. */
const anyCurve: fc.Arbitrary<BidCurve> = fc
  .record({
    prices: fc.array(number(-0.5, 1), { minLength: 1, maxLength: 8 }),
    powers: fc.array(number(-22, 22), { minLength: 8, maxLength: 8 }),
    shape: fc.constantFrom("LINEAR" as const, "STEP" as const),
  })
  .map(({ prices, powers, shape }) => {
    const sortedPrices = [...prices].sort((a, b) => a - b);
    const sortedPowers = [...powers].sort((a, b) => a - b);
    return {
      shape,
      currency: "INR",
      points: sortedPrices.map((pricePerKWh, index) => ({ pricePerKWh, powerKW: sortedPowers[index] ?? 0 })),
    };
  });

describe("a bid curve", () => {
  test("gives the seed's own numbers", () => {
    expect(powerAt(seedCurve, 0.09)).toBeCloseTo(-8, 12);
    expect(powerAt(seedCurve, 0.11)).toBeCloseTo(-2.5, 12);
    expect([0.05, 0.08, 0.12, 0.13].map((price) => powerAt(seedCurve, price))).toEqual([-11, -11, 0, 0]);
  });

  test("as steps is the seed's other reading: 11 kW if the price is at most 0.08, 5 kW if at most 0.10", () => {
    const steps: BidCurve = { ...seedCurve, shape: "STEP" };
    expect([0.07, 0.09, 0.0999, 0.11, 0.12, 1].map((price) => powerAt(steps, price))).toEqual([-11, -5, -5, 0, 0, 0]);
    expect(powerRangeAt(steps, 0.08)).toEqual({ lowKW: -11, highKW: -5 });
  });

  test("as steps a generator gives from its price on, and a battery rests between its two prices", () => {
    const steps: BidCurve = {
      shape: "STEP",
      currency: "INR",
      points: [
        { pricePerKWh: 0.08, powerKW: -5 },
        { pricePerKWh: 0.15, powerKW: 3 },
        { pricePerKWh: 0.2, powerKW: 5 },
      ],
    };
    expect([0.05, 0.1, 0.16, 0.21].map((price) => powerAt(steps, price))).toEqual([-5, 0, 3, 5]);
  });

  test("takes any power at a jump, and exactly there", () => {
    const jump: BidCurve = {
      ...seedCurve,
      points: [
        { pricePerKWh: 0.1, powerKW: -8 },
        { pricePerKWh: 0.1, powerKW: 0 },
      ],
    };
    expect(powerRangeAt(jump, 0.1)).toEqual({ lowKW: -8, highKW: 0 });
    expect(powerAt(jump, 0.0999)).toBe(-8);
    expect(powerAt(jump, 0.1001)).toBe(0);
  });

  test("a dearer price never makes the car draw more", () => {
    fc.assert(
      fc.property(anyCurve, number(-1, 2), number(-1, 2), (curve, a, b) => {
        const [cheap, dear] = a <= b ? [a, b] : [b, a];
        expect(powerRangeAt(curve, cheap).lowKW).toBeLessThanOrEqual(powerRangeAt(curve, dear).highKW + 1e-9);
        if (cheap < dear) expect(powerAt(curve, cheap)).toBeLessThanOrEqual(powerAt(curve, dear) + 1e-9);
      }),
    );
  });

  test("cut to a band is the same curve with its values cut", () => {
    fc.assert(
      fc.property(anyCurve, number(-22, 0), number(0, 22), number(-1, 2), (curve, min, max, price) => {
        const cut = clipCurve(curve, min, max);
        expect(curveFault(cut.points)).toBeUndefined();
        const { lowKW, highKW } = powerRangeAt(curve, price);
        const within = powerRangeAt(cut, price);
        const clamp = (value: number) => Math.min(Math.max(value, min), max);
        expect(within.lowKW).toBeCloseTo(clamp(lowKW), 6);
        expect(within.highKW).toBeCloseTo(clamp(highKW), 6);
      }),
    );
  });

  test("that falls somewhere is refused with the place", () => {
    expect(curveFault([])).toMatchObject({ index: 0 });
    expect(curveFault([...seedCurve.points].reverse())).toMatchObject({ index: 1 });
    const dip = [...seedCurve.points, { pricePerKWh: 0.14, powerKW: -1 }];
    expect(curveFault(dip)).toMatchObject({ index: 3, fault: expect.stringContaining("must not fall") });
    expect(curveFault([{ pricePerKWh: Number.POSITIVE_INFINITY, powerKW: 0 }])).toMatchObject({ index: 0 });
    expect(curveFault([{ pricePerKWh: 0.1, powerKW: Number.NaN }])).toMatchObject({ index: 0 });
  });

  test("that still consumes at its dear end is noticed", () => {
    expect(consumesAtAnyPrice(seedCurve)).toBe(false);
    expect(consumesAtAnyPrice({ ...seedCurve, points: seedCurve.points.slice(0, 2) })).toBe(true);
  });
});

describe("curves from what a device can do", () => {
  const band = fc.record({ minPowerKW: number(-22, 0), maxPowerKW: number(0, 22) });

  test("are sound and stay within the device", () => {
    fc.assert(
      fc.property(band, number(0, 0.5), number(0, 0.5), number(0.5, 1), (power, price, spread, efficiency) => {
        const prices = { from: price, to: price + spread };
        const value = {
          storedValuePerKWh: price,
          wearPerKWh: spread / 10,
          roundTripEfficiency: efficiency,
          spreadPerKWh: spread,
        };
        const curves = [
          loadCurve(power, prices, "INR"),
          generatorCurve(power, prices, "INR"),
          storageCurve(power, value, "INR"),
        ];
        for (const curve of curves) {
          expect(curveFault(curve.points)).toBeUndefined();
          for (const point of curve.points) {
            expect(point.powerKW).toBeGreaterThanOrEqual(power.minPowerKW);
            expect(point.powerKW).toBeLessThanOrEqual(power.maxPowerKW);
          }
        }
      }),
    );
  });

  test("a battery never trades at a loss: what it sells above covers what it bought below, losses and wear", () => {
    const value = { storedValuePerKWh: 0.1, wearPerKWh: 0.02, roundTripEfficiency: 0.9, spreadPerKWh: 0.01 };
    const curve = storageCurve({ minPowerKW: -5, maxPowerKW: 5 }, value, "INR");
    const buyAt = Math.max(...curve.points.filter((point) => point.powerKW < 0).map((point) => point.pricePerKWh));
    const sellAt = Math.min(...curve.points.filter((point) => point.powerKW > 0).map((point) => point.pricePerKWh));
    expect(sellAt * value.roundTripEfficiency).toBeGreaterThan(buyAt + value.wearPerKWh * value.roundTripEfficiency);
  });
});

describe("a car with a goal", () => {
  const HOUR = 3_600_000;
  const at = (hour: number) => Date.UTC(2026, 5, 15, hour);
  const goal = { targetChargeKWh: 20, deadlineMs: at(18), maxPricePerKWh: 0.12 };
  const need = {
    objective: goal,
    deliveredKWh: 0,
    maxKW: 11,
    slotStartMs: at(14),
    slotEndMs: at(14) + HOUR / 4,
    currency: "INR",
  };
  const forecast = [
    { startMs: at(14), endMs: at(16), pricePerKWh: 0.1 },
    { startMs: at(16), endMs: at(18), pricePerKWh: 0.08 },
  ];

  test("waits for the cheaper hours if they can carry all of it: full below 0.08, nothing above", () => {
    const curve = curveFromObjective({ ...need, forecast });
    expect(powerAt(curve, 0.079)).toBe(-11);
    expect(powerAt(curve, 0.081)).toBe(0);
  });

  test("must run at any price once the time left is too short", () => {
    const late = { ...need, slotStartMs: at(16) + HOUR / 4, slotEndMs: at(16) + HOUR / 2 };
    // 1.5 h later at 11 kW carry 16.5 kWh of the 20.
    expect(urgency(late).mustKW).toBeCloseTo(11, 9);
    expect(powerAt(curveFromObjective(late), 99)).toBeCloseTo(-11, 9);
  });

  test("takes nothing above its price while there is time", () => {
    expect(powerAt(curveFromObjective(need), 0.1201)).toBe(0);
    expect(powerAt(curveFromObjective(need), 0.01)).toBe(-11);
  });

  test("that is done wants nothing at any price", () => {
    const done = curveFromObjective({ ...need, deliveredKWh: 20 });
    expect([0, 0.05, 1].map((price) => powerAt(done, price))).toEqual([0, 0, 0]);
  });

  test("that can't be reached any more takes all it can and says how much will be missing", () => {
    const hopeless = { ...need, slotStartMs: at(17), slotEndMs: at(17) + HOUR / 4 };
    expect(urgency(hopeless)).toMatchObject({ mustKW: 11, canKW: 11, shortfallKWh: expect.closeTo(9, 9) });
  });

  test("is reached by the deadline whatever prices come, if it could be reached at the start", () => {
    fc.assert(
      fc.property(
        number(1, 40),
        fc.array(number(0, 0.5), { minLength: 16, maxLength: 16 }),
        fc.boolean(),
        (targetKWh, prices, knowsForecast) => {
          fc.pre(targetKWh <= 11 * 4);
          let deliveredKWh = 0;
          for (const [slot, price] of prices.entries()) {
            const slotStartMs = at(14) + (slot * HOUR) / 4;
            const curve = curveFromObjective({
              ...need,
              objective: { ...goal, targetChargeKWh: targetKWh },
              deliveredKWh,
              slotStartMs,
              slotEndMs: slotStartMs + HOUR / 4,
              ...(knowsForecast && { forecast }),
            });
            expect(curveFault(curve.points)).toBeUndefined();
            const drawKW = -powerAt(curve, price);
            expect(drawKW).toBeGreaterThanOrEqual(0);
            expect(drawKW).toBeLessThanOrEqual(11 + 1e-9);
            deliveredKWh += drawKW / 4;
          }
          expect(deliveredKWh).toBeGreaterThanOrEqual(targetKWh - 1e-6);
        },
      ),
    );
  });
});
