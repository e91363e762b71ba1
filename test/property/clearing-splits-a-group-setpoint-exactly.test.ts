import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { disaggregate, type GroupResource, type GroupRules } from "../../src/clearing/disaggregate.ts";
import { type BidCurve, powerRangeAt } from "../../src/model/bid-curve.ts";

const rules: GroupRules = { rationing: "PRO_RATA" };

const car = (era: string, more: Partial<GroupResource> = {}): GroupResource => ({
  era,
  bounds: { minPowerKW: -11, maxPowerKW: 0 },
  minRunKW: 4.14,
  ...more,
});

function split(powerKW: number, resources: readonly GroupResource[], how: GroupRules = rules) {
  const { setpoints, unmetKW } = disaggregate(powerKW, resources, how);
  return { unmetKW, powers: Object.fromEntries(setpoints.map((setpoint) => [setpoint.era, setpoint.powerKW])) };
}

describe("a group's setpoint", () => {
  test("goes to each in proportion to what it can do in that direction", () => {
    const battery: GroupResource = { era: "battery", bounds: { minPowerKW: -4, maxPowerKW: 6 } };
    const panel: GroupResource = { era: "panel", bounds: { minPowerKW: 0, maxPowerKW: 3 } };
    expect(split(6, [battery, panel])).toEqual({ unmetKW: 0, powers: { battery: 4, panel: 2 } });
    expect(split(-2, [battery, panel])).toEqual({ unmetKW: 0, powers: { battery: -2, panel: 0 } });
    expect(split(0, [battery, panel])).toEqual({ unmetKW: 0, powers: { battery: 0, panel: 0 } });
    expect(split(10, [battery, panel])).toEqual({ unmetKW: 1, powers: { battery: 6, panel: 3 } });
    expect(split(-10, [battery, panel])).toEqual({ unmetKW: -6, powers: { battery: -4, panel: 0 } });
  });

  test("goes by what the resources prefer, if all of them say so", () => {
    const wants = (era: string, pricePerKWh: number): GroupResource => ({
      era,
      bounds: { minPowerKW: -11, maxPowerKW: 0 },
      curve: {
        shape: "LINEAR",
        currency: "EUR",
        points: [
          { pricePerKWh, powerKW: -8 },
          { pricePerKWh, powerKW: 0 },
        ],
      },
    });
    expect(split(-10, [wants("late", 0.1), wants("urgent", 0.3)]).powers).toEqual({ late: -2, urgent: -8 });
    // More than any price calls up: bounds are what they can do.
    expect(split(-20, [wants("late", 0.1), wants("urgent", 0.3)])).toEqual({
      unmetKW: 0,
      powers: { late: -10, urgent: -10 },
    });
  });

  test("never asks a car for less than it can charge with: one charges, the other waits", () => {
    expect(split(-6, [car("a"), car("b")])).toEqual({ unmetKW: 0, powers: { a: -6, b: 0 } });
    expect(split(-6, [car("a"), car("b", { priority: -1 })]).powers).toEqual({ a: 0, b: -6 });
    const charging = { bounds: { minPowerKW: -11, maxPowerKW: 0, presentPowerKW: -7 } };
    expect(split(-6, [car("a"), car("b", charging)]).powers).toEqual({ a: 0, b: -6 });
    expect(split(-3, [car("a"), car("b")])).toEqual({ unmetKW: -3, powers: { a: 0, b: 0 } });
    expect(split(-9, [car("a"), car("b")]).powers).toEqual({ a: -4.5, b: -4.5 });
  });

  test("lets another one make room for a car that would otherwise wait", () => {
    const heater: GroupResource = { era: "heater", bounds: { minPowerKW: -4, maxPowerKW: 0 } };
    const truck = car("truck", { bounds: { minPowerKW: -6, maxPowerKW: 0 }, minRunKW: 6 });
    const { powers, unmetKW } = split(-7, [heater, truck]);
    expect(unmetKW).toBe(0);
    expect(powers).toEqual({ heater: -1, truck: -6 });
  });

  test("keeps to how fast each can change", () => {
    const ramp = { bounds: { minPowerKW: -11, maxPowerKW: 0, presentPowerKW: -2, rampRateKWPerMin: 1 } };
    const slow: GroupResource = { era: "slow", ...ramp };
    const fast: GroupResource = { era: "fast", bounds: { minPowerKW: -11, maxPowerKW: 0 } };
    const how: GroupRules = { ...rules, rampWindowMs: 60_000 };
    expect(split(-14, [slow, fast], how)).toEqual({ unmetKW: 0, powers: { slow: -3, fast: -11 } });
    expect(split(-20, [slow, fast], how)).toEqual({ unmetKW: -6, powers: { slow: -3, fast: -11 } });
  });

  test("is refused where a resource does not say what it can do", () => {
    expect(() => split(1, [{ era: "box" }])).toThrow(/^box: .*minPowerKW/);
    expect(() => split(1, [car("a"), car("a")])).toThrow(/^a: /);
    expect(() => split(1, [car("a", { minRunKW: -1 })])).toThrow(/^a: minRunKW/);
    expect(split(0, [])).toEqual({ unmetKW: 0, powers: {} });
  });
});

const quarter = (min: number, max: number) =>
  fc.integer({ min: min * 4, max: max * 4 }).map((quarters) => quarters / 4);

const curve: fc.Arbitrary<BidCurve> = fc
  .array(fc.tuple(quarter(0, 1), quarter(-11, 11)), { minLength: 1, maxLength: 4 })
  .map((pairs) => {
    const powers = pairs.map(([, power]) => power).toSorted((a, b) => a - b);
    const prices = pairs.map(([price]) => price).toSorted((a, b) => a - b);
    const points = prices.map((pricePerKWh, index) => ({ pricePerKWh, powerKW: powers[index] ?? 0 }));
    return { shape: "LINEAR", currency: "EUR", points };
  });

/** Cars, boilers, panels and batteries that can be off. */
const resource = fc
  .record({
    floor: quarter(-11, 0),
    ceiling: quarter(0, 6),
    minRun: fc.option(quarter(1, 5), { nil: undefined }),
    curve,
  })
  .map(({ floor, ceiling, minRun, curve: own }) => ({
    bounds: { minPowerKW: floor, maxPowerKW: ceiling },
    ...(minRun !== undefined && { minRunKW: minRun }),
    curve: own,
  }));

const group = fc.tuple(fc.array(resource, { minLength: 1, maxLength: 6 }), fc.boolean()).map(([all, byCurve]) =>
  all.map(
    ({ curve: own, ...rest }, index): GroupResource => ({
      era: `r${index}`,
      ...rest,
      ...(byCurve && { curve: own }),
    }),
  ),
);

describe("however the group is made", () => {
  test("shares add up with what is unmet, keep to the bounds, and nobody runs too low", () => {
    fc.assert(
      fc.property(group, quarter(-40, 30), (resources, powerKW) => {
        const { setpoints, unmetKW } = disaggregate(powerKW, resources, rules);
        const sumKW = setpoints.reduce((sum, setpoint) => sum + setpoint.powerKW, 0);
        expect(Math.abs(powerKW - sumKW - unmetKW)).toBeLessThan(1e-6);
        // Not beyond the setpoint.
        if (unmetKW !== 0) expect(Math.sign(unmetKW)).toBe(Math.sign(powerKW));
        for (const [index, { powerKW: ownKW }] of setpoints.entries()) {
          const { bounds, minRunKW = 0 } = resources[index] as GroupResource;
          expect(ownKW).toBeGreaterThanOrEqual((bounds?.minPowerKW ?? 0) - 1e-9);
          expect(ownKW).toBeLessThanOrEqual((bounds?.maxPowerKW ?? 0) + 1e-9);
          if (ownKW !== 0) expect(Math.abs(ownKW)).toBeGreaterThanOrEqual(minRunKW - 1e-6);
        }
      }),
      { numRuns: 300 },
    );
  });

  test("no choice of who runs would carry more than one resource's least power more", () => {
    fc.assert(
      fc.property(group, quarter(-40, 30), (resources, powerKW) => {
        const { unmetKW } = disaggregate(powerKW, resources, rules);
        const least = Math.max(0, ...resources.map(({ minRunKW }) => minRunKW ?? 0));
        expect(Math.abs(unmetKW)).toBeLessThanOrEqual(leastUnmetKW(powerKW, resources) + least + 1e-6);
      }),
      { numRuns: 300 },
    );
  });

  test("the order of the resources does not matter", () => {
    const shuffled = group.chain((all) =>
      fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length })),
    );
    fc.assert(
      fc.property(shuffled, quarter(-40, 30), ([one, other], powerKW) => {
        expect(split(powerKW, other)).toEqual(split(powerKW, one));
      }),
      { numRuns: 300 },
    );
  });

  test("without least powers, everybody who has a say follows one price", () => {
    fc.assert(
      fc.property(
        fc.array(curve, { minLength: 1, maxLength: 5 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (curves, share) => {
          const resources = curves.map((own, index): GroupResource => ({ era: `r${index}`, curve: own }));
          const low = curves.reduce((sum, { points }) => sum + (points[0]?.powerKW ?? 0), 0);
          const high = curves.reduce((sum, { points }) => sum + (points.at(-1)?.powerKW ?? 0), 0);
          const powerKW = low + share * (high - low);
          const { setpoints, unmetKW } = disaggregate(powerKW, resources, rules);
          expect(unmetKW).toBe(0);
          const fits = (price: number) =>
            setpoints.every((setpoint, index) => {
              const { lowKW, highKW } = powerRangeAt(curves[index] as BidCurve, price);
              return setpoint.powerKW >= lowKW - 1e-6 && setpoint.powerKW <= highKW + 1e-6;
            });
          // The prices of all points, and of where each share lies on its own curve.
          const prices = curves.flatMap((own, index) => [
            ...own.points.map(({ pricePerKWh }) => pricePerKWh),
            ...pricesOf(own, setpoints[index]?.powerKW ?? 0),
          ]);
          expect(prices.some(fits)).toBe(true);
        },
      ),
      { numRuns: 300 },
    );
  });
});

/** By trying every choice of off, load and generator: the least that must stay unmet without going beyond. */
function leastUnmetKW(powerKW: number, resources: readonly GroupResource[]): number {
  let reachable: [number, number][] = [[0, 0]];
  for (const { bounds, minRunKW = 0 } of resources) {
    const floor = bounds?.minPowerKW ?? 0;
    const ceiling = bounds?.maxPowerKW ?? 0;
    const own: [number, number][] = minRunKW === 0 ? [[floor, ceiling]] : [[0, 0]];
    if (minRunKW > 0 && -floor >= minRunKW) own.push([floor, -minRunKW]);
    if (minRunKW > 0 && ceiling >= minRunKW) own.push([minRunKW, ceiling]);
    reachable = reachable.flatMap(([low, high]) => own.map(([a, b]): [number, number] => [low + a, high + b]));
  }
  const lacks = reachable
    .filter(([low, high]) => (powerKW < 0 ? high >= powerKW : low <= powerKW))
    .map(([low, high]) => (powerKW < 0 ? Math.max(low - powerKW, 0) : Math.max(powerKW - high, 0)));
  return Math.min(...lacks);
}

/** Prices at which a curve passes a power. */
function pricesOf({ points }: BidCurve, powerKW: number): number[] {
  return points.flatMap((point, index) => {
    const before = points[index - 1];
    if (before === undefined || before.powerKW >= point.powerKW) return [];
    const share = (powerKW - before.powerKW) / (point.powerKW - before.powerKW);
    return share < 0 || share > 1 ? [] : [before.pricePerKWh + share * (point.pricePerKWh - before.pricePerKWh)];
  });
}
