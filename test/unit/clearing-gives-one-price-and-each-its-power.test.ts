import { describe, expect, test } from "vitest";
import { clear } from "../../src/clearing/clear.ts";
import type { BidBounds, ClearingRules, Participant } from "../../src/clearing/clearing-types.ts";
import type { BidCurve, CurveShape } from "../../src/model/bid-curve.ts";

type Points = readonly (readonly [pricePerKWh: number, powerKW: number])[];

function curve(points: Points, shape: CurveShape = "LINEAR"): BidCurve {
  return { shape, currency: "INR", points: points.map(([pricePerKWh, powerKW]) => ({ pricePerKWh, powerKW })) };
}

function bid(era: string, points: Points, more: Partial<Participant> = {}): Participant {
  return { era, curve: curve(points), ...more };
}

const balanced: ClearingRules = { currency: "INR", targetKW: 0, rationing: "PRO_RATA" };

function cleared(participants: readonly Participant[], rules: Partial<ClearingRules> = {}) {
  const result = clear(participants, { ...balanced, ...rules });
  return { ...result, powers: Object.fromEntries(result.setpoints.map(({ era, powerKW }) => [era, powerKW])) };
}

const many = (count: number, make: (index: number) => Participant) => Array.from({ length: count }, (_, i) => make(i));

/** The seed's own curves. */
const CAR: Points = [
  [0.08, -11],
  [0.1, -5],
  [0.12, 0],
];
const PANEL: Points = [
  [0.05, 0],
  [0.06, 2],
  [0.07, 5],
];
const CONSUMER: Points = [
  [0.06, -50],
  [0.07, 0],
];
const fixed = (era: string, powerKW: number, more: Partial<Participant> = {}) => bid(era, [[0.1, powerKW]], more);

describe("the seed's curves", () => {
  test("8 kW of sun and a car meet at 0.09", () => {
    const { status, pricePerKWh, powers, clearedKW } = cleared([fixed("sun", 8), bid("car", CAR)]);
    expect(status).toBe("CLEARED");
    expect(pricePerKWh).toBeCloseTo(0.09, 12);
    expect(powers["car"]).toBeCloseTo(-8, 12);
    expect(clearedKW).toBeCloseTo(8, 12);
  });

  test("a car follows its curve: what it takes at 0.08, 0.10 and 0.11, and beyond both ends", () => {
    for (const [price, powerKW] of [
      [0.05, -11],
      [0.08, -11],
      [0.1, -5],
      [0.11, -2.5],
      [0.13, 0],
    ] as const) {
      // A grid that sells and buys any power at one price sets the price.
      const grid = curve([
        [price, -100],
        [price, 100],
      ]);
      const result = cleared([bid("car", CAR)], { external: grid });
      expect(result.pricePerKWh).toBe(price);
      expect(result.powers["car"]).toBeCloseTo(powerKW, 12);
      expect(result.externalKW).toBeCloseTo(-powerKW, 12);
      expect(result.status).toBe("RATIONED");
    }
  });

  test("two panels and a car, and 20 panels and 10 cars, meet at 0.08333 and not at 0.075", () => {
    for (const size of [1, 10]) {
      const panels = many(2 * size, (index) => bid(`panel-${index}`, PANEL));
      const cars = many(size, (index) => bid(`car-${index}`, CAR));
      const { pricePerKWh, powers, clearedKW } = cleared([...panels, ...cars]);
      expect(pricePerKWh).toBeCloseTo(0.25 / 3, 12);
      expect(powers["panel-0"]).toBeCloseTo(5, 12);
      expect(powers["car-0"]).toBeCloseTo(-10, 12);
      expect(clearedKW).toBeCloseTo(10 * size, 9);
    }
  });

  test("one panel and a car meet at 0.10", () => {
    const { pricePerKWh, powers } = cleared([bid("panel", PANEL), bid("car", CAR)]);
    expect(pricePerKWh).toBeCloseTo(0.1, 12);
    expect(powers["panel"]).toBeCloseTo(5, 12);
    expect(powers["car"]).toBeCloseTo(-5, 12);
  });

  test("ten panels and the consumer meet at 0.06375 with 31.25 kW", () => {
    const panels = many(10, (index) => bid(`panel-${index}`, PANEL));
    const { pricePerKWh, powers, clearedKW } = cleared([...panels, bid("consumer", CONSUMER)]);
    expect(pricePerKWh).toBeCloseTo(0.06375, 12);
    expect(powers["consumer"]).toBeCloseTo(-31.25, 11);
    expect(powers["panel-3"]).toBeCloseTo(3.125, 11);
    expect(clearedKW).toBeCloseTo(31.25, 11);
  });

  test("read as steps, the car takes 5 kW at 0.09 and shares at 0.08", () => {
    const car: Participant = { era: "car", curve: curve(CAR, "STEP") };
    expect(cleared([fixed("sun", 5), car])).toMatchObject({
      status: "PLATEAU",
      plateau: { fromPerKWh: 0.08, toPerKWh: 0.1 },
      pricePerKWh: expect.closeTo(0.09, 12),
      powers: { car: -5 },
    });
    expect(cleared([fixed("sun", 8), car])).toMatchObject({
      status: "RATIONED",
      pricePerKWh: 0.08,
      powers: { car: -8 },
    });
  });
});

describe("a plateau", () => {
  const sun = bid("sun", [
    [0.04, 0],
    [0.06, 5],
  ]);
  const car = bid("car", [
    [0.1, -5],
    [0.2, 0],
  ]);

  test("between two bids is priced in its middle", () => {
    expect(cleared([sun, car])).toMatchObject({
      status: "PLATEAU",
      pricePerKWh: expect.closeTo(0.08, 12),
      plateau: { fromPerKWh: 0.06, toPerKWh: 0.1 },
      powers: { sun: 5, car: -5 },
      clearedKW: 5,
      unmetKW: 0,
    });
  });

  test("with one open side is priced at the other", () => {
    const above = cleared([sun, fixed("house", -5)]);
    expect(above).toMatchObject({ status: "PLATEAU", pricePerKWh: 0.06, powers: { sun: 5, house: -5 } });
    expect(above.plateau).toEqual({ fromPerKWh: 0.06 });
    const below = cleared([car, fixed("wind", 5)]);
    expect(below).toMatchObject({ status: "PLATEAU", pricePerKWh: 0.1, powers: { car: -5, wind: 5 } });
    expect(below.plateau).toEqual({ toPerKWh: 0.1 });
  });

  test("with both sides open takes the last price, else the base price, else 0, and never beyond the limits", () => {
    const both = [fixed("wind", 5), fixed("house", -5)];
    expect(cleared(both, { lastPricePerKWh: 0.07, basePricePerKWh: 0.1 })).toMatchObject({ pricePerKWh: 0.07 });
    expect(cleared(both, { basePricePerKWh: 0.1 })).toMatchObject({ pricePerKWh: 0.1, plateau: {} });
    expect(cleared(both)).toMatchObject({ status: "PLATEAU", pricePerKWh: 0, powers: { wind: 5, house: -5 } });
    expect(cleared(both, { lastPricePerKWh: 9, maxPricePerKWh: 0.5 })).toMatchObject({ pricePerKWh: 0.5 });
  });

  test("is not ended by a price limit, as nobody asked for it", () => {
    expect(cleared([sun, car], { maxPricePerKWh: 0.07 })).toMatchObject({ status: "PLATEAU", pricePerKWh: 0.06 });
    expect(cleared([sun, car], { minPricePerKWh: 0.09 })).toMatchObject({ status: "PLATEAU", pricePerKWh: 0.1 });
    expect(cleared([sun, car], { minPricePerKWh: 0.08, maxPricePerKWh: 0.09, lastPricePerKWh: 0.2 })).toMatchObject({
      pricePerKWh: 0.09,
      powers: { sun: 5, car: -5 },
    });
  });

  test("at which nobody trades still has a price, as both sides are there", () => {
    const seller = bid("seller", [
      [0.08, 0],
      [0.09, 5],
    ]);
    const buyer = bid("buyer", [
      [0.05, -5],
      [0.06, 0],
    ]);
    expect(cleared([seller, buyer])).toMatchObject({
      status: "PLATEAU",
      pricePerKWh: expect.closeTo(0.07, 12),
      clearedKW: 0,
      powers: { seller: 0, buyer: 0 },
    });
  });

  test("of decimal fractions that doubles can't add is found all the same", () => {
    const result = cleared([
      fixed("a", 0.1),
      fixed("b", 0.2),
      bid("c", [
        [0.2, -0.3],
        [0.3, 0],
      ]),
    ]);
    expect(result).toMatchObject({ status: "PLATEAU", pricePerKWh: 0.2 });
  });

  test("far wider than a tick, and beyond several buckets of ticks, keeps both its ends", () => {
    const seller = bid("seller", [
      [-3.5, 0],
      [-3.25, 5],
    ]);
    const buyer = bid("buyer", [
      [11.75, -5],
      [12, 0],
    ]);
    expect(cleared([seller, buyer]).plateau).toEqual({ fromPerKWh: -3.25, toPerKWh: 11.75 });
  });

  test("narrower than a tick is one too", () => {
    const seller = bid("seller", [
      [0.1, 0],
      [0.1000002, 5],
    ]);
    const buyer = bid("buyer", [
      [0.1000006, -5],
      [0.1000008, 0],
    ]);
    const result = cleared([seller, buyer]);
    expect(result).toMatchObject({ status: "PLATEAU", plateau: { fromPerKWh: 0.1000002, toPerKWh: 0.1000006 } });
    expect(result.pricePerKWh).toBeCloseTo(0.1000004, 12);
  });
});

describe("a jump", () => {
  const jump = (era: string, price: number, fromKW: number, toKW: number, more: Partial<Participant> = {}) =>
    bid(
      era,
      [
        [price, fromKW],
        [price, toKW],
      ],
      more,
    );

  test("wider than what is left is shared in proportion", () => {
    const result = cleared([jump("a", 0.1, 0, 6), jump("b", 0.1, 0, 3), fixed("house", -6)]);
    expect(result).toMatchObject({ status: "RATIONED", pricePerKWh: 0.1, clearedKW: expect.closeTo(6, 12) });
    expect(result.powers["a"]).toBeCloseTo(4, 12);
    expect(result.powers["b"]).toBeCloseTo(2, 12);
  });

  test("between two ticks is at its own price to the last digit", () => {
    const price = 0.123456789;
    const result = cleared([jump("a", price, 0, 6), fixed("house", -4)]);
    expect(result).toMatchObject({ status: "RATIONED", pricePerKWh: price, powers: { a: 4 } });
  });

  test("by priority serves the lower number, then the earlier, then the ERA that comes first", () => {
    const rules = { rationing: "PRIORITY" as const };
    const house = fixed("house", -7);
    const first = jump("z", 0.1, 0, 4, { priority: -1 });
    expect(cleared([jump("a", 0.1, 0, 4), first, house], rules).powers).toMatchObject({ z: 4, a: 3 });
    const early = jump("y", 0.1, 0, 4, { submittedAtMs: 1 });
    const late = jump("b", 0.1, 0, 4, { submittedAtMs: 2 });
    expect(cleared([late, early, house], rules).powers).toMatchObject({ y: 4, b: 3 });
    expect(cleared([jump("c", 0.1, 0, 4), early, house], rules).powers).toMatchObject({ y: 4, c: 3 });
    expect(cleared([jump("d", 0.1, 0, 4), jump("c", 0.1, 0, 4), house], rules).powers).toMatchObject({ c: 4, d: 3 });
  });

  test("by priority serves consumers in the same order: the first one is the last to go without", () => {
    const bids = [jump("a", 0.1, -4, 0), jump("b", 0.1, -4, 0, { priority: -1 }), fixed("wind", 5)];
    expect(cleared(bids, { rationing: "PRIORITY" }).powers).toEqual({ a: -1, b: -4, wind: 5 });
  });

  test("by priority trades as much as both sides accept at that price", () => {
    const bids = [jump("seller", 0.1, 0, 6), jump("buyer", 0.1, -4, 0), jump("other", 0.1, -4, 0)];
    expect(cleared(bids, { rationing: "PRIORITY" }).powers).toEqual({ seller: 6, buyer: -4, other: -2 });
    // Pro rata everybody takes the same share of its own jump: 8 of 14 kW up from where all consume.
    expect(cleared(bids).powers["seller"]).toBeCloseTo((6 * 8) / 14, 12);
  });

  test("that just reaches the target is not rationed", () => {
    expect(cleared([jump("a", 0.1, 0, 6), fixed("house", -6)])).toMatchObject({
      status: "PLATEAU",
      pricePerKWh: 0.1,
      powers: { a: 6, house: -6 },
    });
    expect(
      cleared([
        jump("a", 0.1, 0, 6),
        bid("b", [
          [0.1, 0],
          [0.2, 3],
        ]),
        fixed("house", -6),
      ]),
    ).toMatchObject({
      status: "CLEARED",
      pricePerKWh: 0.1,
      powers: { a: 6, b: 0, house: -6 },
    });
  });

  test("that begins where a line has met the target is not taken", () => {
    const line = bid("line", [
      [0.05, 0],
      [0.1, 6],
    ]);
    expect(cleared([line, jump("a", 0.1, 0, 6), fixed("house", -6)])).toMatchObject({
      status: "CLEARED",
      pricePerKWh: 0.1,
      powers: { line: 6, a: 0 },
    });
  });

  test("at the highest price may still be shared", () => {
    const bids = [jump("a", 0.2, 0, 6), fixed("house", -4)];
    expect(cleared(bids, { maxPricePerKWh: 0.2 })).toMatchObject({ status: "RATIONED", pricePerKWh: 0.2 });
    expect(cleared(bids, { maxPricePerKWh: 0.19 })).toMatchObject({ status: "SHORTAGE", powers: { a: 0, house: 0 } });
  });
});

describe("when a market can't balance by price", () => {
  test("a shortage is at the highest price, and all consumption is cut in proportion", () => {
    const result = cleared([fixed("wind", 6), fixed("a", -8), fixed("b", -4)], { maxPricePerKWh: 0.5 });
    expect(result).toMatchObject({ status: "SHORTAGE", pricePerKWh: 0.5, clearedKW: 6, unmetKW: 0 });
    expect(result.powers["a"]).toBeCloseTo(-4, 12);
    expect(result.powers["b"]).toBeCloseTo(-2, 12);
  });

  test("an oversupply is at the lowest price, and all generation is cut in proportion", () => {
    const result = cleared([fixed("a", 8), fixed("b", 4), fixed("house", -6)], { minPricePerKWh: -0.5 });
    expect(result).toMatchObject({ status: "OVERSUPPLY", pricePerKWh: -0.5, clearedKW: 6, unmetKW: 0 });
    expect(result.powers["a"]).toBeCloseTo(4, 12);
    expect(result.powers["b"]).toBeCloseTo(2, 12);
  });

  test("without a limit the price is the last or the first one at which anything changes", () => {
    const car = bid("car", [
      [0.08, -11],
      [0.2, -5],
      [0.3, -5],
    ]);
    expect(cleared([fixed("wind", 3), car])).toMatchObject({
      status: "SHORTAGE",
      pricePerKWh: 0.2,
      powers: { car: -3 },
    });
    const sun = bid("sun", [
      [0.01, 3],
      [0.0500001234, 3],
      [0.07, 5],
    ]);
    expect(cleared([fixed("house", -2), sun])).toMatchObject({
      status: "OVERSUPPLY",
      pricePerKWh: 0.0500001234,
      powers: { sun: 2 },
    });
    expect(cleared([fixed("house", -2)], { basePricePerKWh: 0.1 })).toMatchObject({
      status: "SHORTAGE",
      pricePerKWh: 0.1,
    });
  });

  test("what bounds don't allow is not cut, and what stays unmet is said", () => {
    const must = fixed("must", -8, { bounds: { minPowerKW: -8, maxPowerKW: -3 } });
    const result = cleared([fixed("wind", 2), must, fixed("may", -4)]);
    expect(result).toMatchObject({ status: "SHORTAGE", powers: { must: -3, may: 0, wind: 2 } });
    expect(result.unmetKW).toBeCloseTo(1, 12);
    expect(cleared([fixed("wind", 4)], { targetKW: 5 })).toMatchObject({ status: "SHORTAGE", unmetKW: 1 });
  });

  test("nobody there, or only one side that can also do nothing, is empty and has no price", () => {
    expect(cleared([])).toEqual({ status: "EMPTY", clearedKW: 0, setpoints: [], unmetKW: 0, powers: {} });
    expect(cleared([], { targetKW: 3 })).toMatchObject({ status: "EMPTY", unmetKW: 3 });
    for (const points of [CAR, PANEL]) {
      const result = cleared([bid("alone", points)]);
      expect(result).toMatchObject({ status: "EMPTY", powers: { alone: 0 }, clearedKW: 0, unmetKW: 0 });
      expect(result).not.toHaveProperty("pricePerKWh");
    }
  });

  test("generation that can't be stopped by price, and nobody to take it, is no empty market", () => {
    expect(cleared([fixed("wind", 8)], { minPricePerKWh: 0 })).toMatchObject({
      status: "OVERSUPPLY",
      pricePerKWh: 0,
      powers: { wind: 0 },
    });
  });

  test("a target is a side of its own", () => {
    expect(cleared([bid("panel", PANEL)], { targetKW: 3.5 })).toMatchObject({ status: "CLEARED", clearedKW: 3.5 });
    expect(cleared([bid("panel", PANEL)], { targetKW: 3.5 }).pricePerKWh).toBeCloseTo(0.065, 12);
  });
});

describe("what a resource can do", () => {
  const result = (bounds: BidBounds, rampWindowMs?: number) =>
    cleared([bid("car", CAR, { bounds })], {
      external: curve([
        [0.09, -100],
        [0.09, 100],
      ]),
      ...(rampWindowMs !== undefined && { rampWindowMs }),
    }).powers["car"];

  test("cuts its bid before the market sees it", () => {
    expect(result({ minPowerKW: -7 })).toBe(-7);
    expect(result({ maxPowerKW: -9 })).toBe(-9);
    expect(cleared([fixed("sun", 8), bid("car", CAR, { bounds: { minPowerKW: -7 } })])).toMatchObject({
      status: "OVERSUPPLY",
    });
  });

  test("so does how fast it can change, in the time there is", () => {
    const ramp = { rampRateKWPerMin: 1, presentPowerKW: -2 };
    expect(result(ramp, 180_000)).toBe(-5);
    expect(result(ramp, 600_000)).toBeCloseTo(-8, 12);
    expect(result(ramp)).toBeCloseTo(-8, 12);
    expect(result({ ...ramp, presentPowerKW: -11 }, 60_000)).toBe(-10);
  });

  test("if ramp and bounds contradict, it goes as far as it can", () => {
    expect(result({ rampRateKWPerMin: 1, presentPowerKW: -11, minPowerKW: -6 }, 120_000)).toBe(-9);
  });
});

describe("a bid that can't be cleared", () => {
  const refused =
    (participant: Participant, more: readonly Participant[] = []) =>
    () =>
      clear([participant, ...more], balanced);

  test("is refused with its name and the place", () => {
    expect(refused(bid("car", [...CAR].reverse()))).toThrow(/^car: point 1: price/);
    expect(
      refused(
        bid("car", [
          [0.1, 0],
          [0.2, -1],
        ]),
      ),
    ).toThrow(/^car: point 1: .*must not fall/);
    expect(refused({ era: "car", curve: { ...curve(CAR), currency: "EUR" } })).toThrow(/^car: .*EUR/);
    expect(refused(bid("car", CAR), [bid("car", PANEL)])).toThrow(/^car: .*more than one/);
    expect(refused(bid("car", CAR, { bounds: { minPowerKW: 1, maxPowerKW: 0 } }))).toThrow(/^car: minPowerKW/);
    expect(refused(bid("car", CAR, { bounds: { rampRateKWPerMin: 0 } }))).toThrow(/^car: rampRateKWPerMin/);
    expect(refused(bid("car", CAR, { priority: Number.NaN }))).toThrow(/^car: priority/);
    expect(refused(bid("car", [[0.1, 1e9]]))).toThrow(/^car: power/);
  });

  test("rules that are none are refused too", () => {
    expect(() => cleared([], { targetKW: Number.NaN })).toThrow(/targetKW/);
    expect(() => cleared([], { minPricePerKWh: 1, maxPricePerKWh: 0 })).toThrow(/minPricePerKWh/);
    expect(() => cleared([], { external: { ...curve(CAR), currency: "EUR" } })).toThrow(/external exchange/);
  });
});
