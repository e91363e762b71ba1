import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Bid, clear } from "../../simulators/market/clearing.ts";
import { GRID_BAND_PER_KWH, gridPrices } from "../../simulators/market/grid-supply.ts";

/** Prices with few decimals, so that several curves often bend or jump at the same one. */
const price = fc.integer({ min: 0, max: 8 }).map((steps) => (3 * steps) / 100);
const power = fc.oneof(
  fc.integer({ min: -22, max: 22 }),
  fc.double({ min: -22, max: 22, noNaN: true, noDefaultInfinity: true }),
);
const sloped = fc.array(fc.tuple(price, power), { minLength: 1, maxLength: 6 }).map((pairs) => {
  const prices = pairs.map(([one]) => one).toSorted((a, b) => a - b);
  const powers = pairs.map(([, one]) => one).toSorted((a, b) => a - b);
  return prices.map((pricePerKWh, index) => ({ pricePerKWh, powerKW: powers[index] ?? 0 }));
});
/** Every power holds up to the next price and jumps there. */
const stepped = sloped.map((curvePoints) =>
  curvePoints.flatMap((point, index) => [
    { ...point, powerKW: curvePoints[index - 1]?.powerKW ?? point.powerKW },
    point,
  ]),
);
const bids = fc
  .array(fc.oneof(sloped, stepped), { maxLength: 8 })
  .map((curves) => curves.map((points, index): Bid => ({ id: `device-${index}`, points })));
const house = fc.double({ min: -20, max: 0, noNaN: true });
const gridPrice = fc.double({ min: 0.06, max: 0.19, noNaN: true });

/** A weak grid: the price crosses many curves on its way, and often comes to stand in a jump. */
function weakGrid(middlePricePerKWh: number) {
  return points([middlePricePerKWh - 0.1, -200], [middlePricePerKWh + 0.1, 200]);
}

function cleared(all: readonly Bid[], middle: number, houseKW: number) {
  const clearing = clear(all, weakGrid(middle), houseKW);
  if (clearing === undefined) throw new Error("no price was found although the grid is strong enough");
  return clearing;
}

describe("the market's clearing", () => {
  test("balances all powers to a thousandth of a watt", () =>
    fc.assert(
      fc.property(bids, gridPrice, house, (all, middle, houseKW) => {
        const { setpointsKW, gridKW } = cleared(all, middle, houseKW);
        const sumKW = [...setpointsKW.values()].reduce((sum, powerKW) => sum + powerKW, gridKW + houseKW);
        expect(Math.abs(sumKW)).toBeLessThan(1e-6);
        expect(setpointsKW.size).toBe(all.length);
      }),
    ));

  test("gives every device a power that lies on its curve at the price, or within its jump", () =>
    fc.assert(
      fc.property(bids, gridPrice, house, (all, middle, houseKW) => {
        const { setpointsKW, gridKW, pricePerKWh } = cleared(all, middle, houseKW);
        const everyone = [...all, { id: "grid", points: weakGrid(middle) }];
        for (const { id, points } of everyone) {
          const powerKW = id === "grid" ? gridKW : (setpointsKW.get(id) ?? Number.NaN);
          const [lowKW, highKW] = acceptedAt(points, pricePerKWh);
          expect(powerKW).toBeGreaterThanOrEqual(lowKW - 1e-6);
          expect(powerKW).toBeLessThanOrEqual(highKW + 1e-6);
        }
      }),
    ));

  test("does not depend on the order in which the bids came", () =>
    fc.assert(
      fc.property(
        bids.chain((all) => fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length }))),
        gridPrice,
        house,
        ([all, shuffled], middle, houseKW) => {
          const first = cleared(all, middle, houseKW);
          const second = cleared(shuffled, middle, houseKW);
          expect(second.pricePerKWh).toBe(first.pricePerKWh);
          expect(second.gridKW).toBe(first.gridKW);
          for (const { id } of all) expect(second.setpointsKW.get(id)).toBe(first.setpointsKW.get(id));
        },
      ),
    ));

  test("never lets anyone consume more when the grid is dearer", () =>
    fc.assert(
      fc.property(bids, gridPrice, gridPrice, house, (all, one, other, houseKW) => {
        const cheap = cleared(all, Math.min(one, other), houseKW);
        const dear = cleared(all, Math.max(one, other), houseKW);
        expect(dear.pricePerKWh).toBeGreaterThanOrEqual(cheap.pricePerKWh - 1e-9);
        for (const [id, powerKW] of dear.setpointsKW) {
          expect(powerKW).toBeGreaterThanOrEqual((cheap.setpointsKW.get(id) ?? Number.NaN) - 1e-6);
        }
      }),
    ));

  test("gives the car of the textbook 8 kW at 0.09 when 8 kW are on offer", () => {
    const car = { id: "car", points: points([0.08, -11], [0.1, -5], [0.12, 0]) };
    const clearing = clear([car], points([0.05, 8]), 0);
    expect(clearing?.pricePerKWh).toBeCloseTo(0.09, 12);
    expect(clearing?.setpointsKW.get("car")).toBeCloseTo(-8, 9);
  });

  test("shares a jump in proportion when the quantity is short", () => {
    // Both would take all at 0.10 and nothing above it; only 4 kW are there.
    const big = { id: "big", points: points([0.1, -11], [0.1, 0]) };
    const small = { id: "small", points: points([0.1, -1], [0.1, 0]) };
    const clearing = clear([big, small], points([0, 4]), 0);
    expect(clearing?.pricePerKWh).toBe(0.1);
    expect(clearing?.setpointsKW.get("big")).toBeCloseTo(-11 / 3, 9);
    expect(clearing?.setpointsKW.get("small")).toBeCloseTo(-1 / 3, 9);
  });

  test("takes the middle where a whole range of prices balances", () => {
    const load = { id: "load", points: points([0.16, -5], [0.16, 0]) };
    const clearing = clear([load], points([0.08, 0], [0.08, 5]), 0);
    expect(clearing?.pricePerKWh).toBeCloseTo(0.12, 12);
    expect(clearing?.setpointsKW.get("load")).toBe(-5);
  });

  test("says so when no price balances", () => {
    expect(clear([{ id: "load", points: points([0.1, -5]) }], points([0.1, 2]), 0)).toBeUndefined();
    expect(clear([{ id: "sun", points: points([0.1, 5]) }], points([0.1, -2]), 0)).toBeUndefined();
  });
});

test("grid prices stay between 0.05 and 0.20 with their band, repeat for a seed, and move at every gate", () =>
  fc.assert(
    fc.property(fc.integer(), fc.integer({ min: 0, max: 100_000 }), (seed, gate) => {
      const first = gridPrices(seed)(gate);
      expect(first - GRID_BAND_PER_KWH).toBeGreaterThanOrEqual(0.05 - 1e-12);
      expect(first + GRID_BAND_PER_KWH).toBeLessThanOrEqual(0.2 + 1e-12);
      expect(Math.abs(gridPrices(seed)(gate + 1) - first)).toBeGreaterThan(0.03);
      expect(gridPrices(seed)(gate)).toBe(first);
    }),
  ));

/** The powers on the curve at a price, found by walking all its pieces; flat outside, a jump is all of its height. */
function acceptedAt(curvePoints: Bid["points"], pricePerKWh: number): [number, number] {
  const ends = [
    { pricePerKWh: Number.NEGATIVE_INFINITY, powerKW: curvePoints[0]?.powerKW ?? 0 },
    ...curvePoints,
    { pricePerKWh: Number.POSITIVE_INFINITY, powerKW: curvePoints.at(-1)?.powerKW ?? 0 },
  ];
  const found: number[] = [];
  for (const [index, right] of ends.entries()) {
    const left = ends[index - 1];
    // A price that was computed may miss the one of a jump by its last bit.
    if (left === undefined || pricePerKWh < left.pricePerKWh - 1e-12 || pricePerKWh > right.pricePerKWh + 1e-12)
      continue;
    const widthPerKWh = right.pricePerKWh - left.pricePerKWh;
    if (widthPerKWh < 1e-9) found.push(left.powerKW, right.powerKW);
    else if (left.powerKW === right.powerKW) found.push(left.powerKW);
    else found.push(left.powerKW + ((pricePerKWh - left.pricePerKWh) / widthPerKWh) * (right.powerKW - left.powerKW));
  }
  return [Math.min(...found), Math.max(...found)];
}

function points(...pairs: readonly (readonly [number, number])[]) {
  return pairs.map(([pricePerKWh, powerKW]) => ({ pricePerKWh, powerKW }));
}
