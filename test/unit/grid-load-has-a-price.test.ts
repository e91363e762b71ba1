import { describe, expect, test } from "vitest";
import { clearGrid } from "../../src/clearing/grid/clear-grid.ts";
import { clearTwoNodes, curve, marketAt, nodeOf, powerOf } from "../support/small-grid.ts";

/** The seed's transformer: 0.001 for each percent of 200 kW. */
const adder = { priceAdderPerPercent: 0.001, congestionMultiplier: 1, ratingKW: 200 };
const external = marketAt(0.1);

describe("the seed's transformer of 200 kW, at a market price of 0.10", () => {
  test.each([
    { loadKW: 150, percent: 75, price: 0.175 },
    { loadKW: 170, percent: 85, price: 0.185 },
  ])("costs $price at $loadKW kW, which are $percent percent", ({ loadKW, percent, price }) => {
    const result = clearTwoNodes({ adder, uncontrolledKW: -loadKW }, {}, { external });
    expect(result.pricePerKWh).toBe(0.1);
    const transformer = nodeOf(result, "transformer");
    expect(transformer.flowKW).toBe(-loadKW);
    expect(transformer.pricePerKWh).toBeCloseTo(price, 12);
    expect(transformer.adderPerKWh).toBeCloseTo(percent * 0.001, 12);
    expect(transformer.congestionRentPerHour).toBeCloseTo(percent * 0.001 * loadKW, 9);
  });

  test("multiplies the adder, which the seed's formula leaves out", () => {
    const result = clearTwoNodes(
      { adder: { ...adder, congestionMultiplier: 2 }, uncontrolledKW: -150 },
      {},
      { external },
    );
    expect(nodeOf(result, "transformer").pricePerKWh).toBeCloseTo(0.25, 12);
  });

  test("adds nothing for what flows out", () => {
    const result = clearTwoNodes({ adder, uncontrolledKW: 150 }, {}, { external });
    expect(nodeOf(result, "transformer")).toMatchObject({ pricePerKWh: 0.1, adderPerKWh: 0, flowKW: 150 });
  });

  test("may be the root itself; then the market's price is the one above it", () => {
    const root = { era: "transformer", adder, uncontrolledKW: -150 };
    const result = clearGrid([root], [], { currency: "INR", targetKW: 0, rationing: "PRO_RATA", external });
    expect(result.pricePerKWh).toBe(0.1);
    expect(nodeOf(result, "transformer").pricePerKWh).toBeCloseTo(0.175, 12);
  });
});

describe("a load whose price depends on the load", () => {
  /** 200 kW at 0.10, 0 at 0.20. */
  const load = curve([0.1, -200], [0.2, 0]);

  test("settles where both agree, in one go", () => {
    // Price = 0.1 + 0.0005·L and L = (0.2 − price)·2000, so L = 100 and price = 0.15; trying prices would swing for ever.
    const result = clearTwoNodes({ adder }, { below: { car: load } }, { external });
    expect(powerOf(result, "car")).toBeCloseTo(-100, 9);
    expect(nodeOf(result, "transformer").pricePerKWh).toBeCloseTo(0.15, 12);
    expect(nodeOf(result, "transformer")).not.toHaveProperty("boundBy");
  });

  test("of all or nothing takes what just keeps the price at its own, and needs no other rationing", () => {
    // It gives up at 0.12: an adder of 0.02 is 20 percent, 40 kW.
    const result = clearTwoNodes({ adder }, { below: { car: curve([0.12, -200], [0.12, 0]) } }, { external });
    expect(powerOf(result, "car")).toBeCloseTo(-40, 9);
    expect(nodeOf(result, "transformer").pricePerKWh).toBeCloseTo(0.12, 12);
  });

  test("pays for the limit on top of the adder where a limit holds", () => {
    const result = clearTwoNodes({ adder, maxForwardFlowKW: 60 }, { below: { car: load } }, { external });
    const transformer = nodeOf(result, "transformer");
    expect(transformer).toMatchObject({ flowKW: -60, boundBy: "FORWARD" });
    // 60 kW are wanted at 0.17; of the 0.07 on the market's price 30 percent, 0.03, are the adder's.
    expect(transformer.pricePerKWh).toBeCloseTo(0.17, 12);
    const adderRent = 0.03 * 60;
    expect(transformer.congestionRentPerHour - adderRent).toBeCloseTo(0.04 * 60, 9);
  });

  test("never pays more than the highest price", () => {
    const rules = { external, maxPricePerKWh: 0.15 };
    const result = clearTwoNodes({ adder, uncontrolledKW: -150 }, {}, rules);
    expect(nodeOf(result, "transformer").pricePerKWh).toBe(0.15);
    expect(nodeOf(result, "transformer").adderPerKWh).toBeCloseTo(0.05, 12);
  });
});

describe("a battery behind an adder of 0.01 for each kW", () => {
  const steep = { priceAdderPerPercent: 0.001, ratingKW: 10 };
  /** Charges 10 kW at 0.10, discharges 10 at 0.20. */
  const battery = curve([0.1, -10], [0.2, 10]);

  test("discharges at the market's price", () => {
    const result = clearTwoNodes({ adder: steep }, { below: { battery } }, { external: marketAt(0.16) });
    expect(powerOf(result, "battery")).toBeCloseTo(2, 9);
    expect(nodeOf(result, "transformer")).toMatchObject({ pricePerKWh: 0.16, adderPerKWh: 0 });
  });

  test("pays the adder for charging", () => {
    // L = (0.15 − p)·200 with p = 0.12 + 0.01·L.
    const result = clearTwoNodes({ adder: steep }, { below: { battery } }, { external: marketAt(0.12) });
    expect(powerOf(result, "battery")).toBeCloseTo(-2, 9);
    expect(nodeOf(result, "transformer").pricePerKWh).toBeCloseTo(0.14, 12);
  });
});

test("under a lowest price the sun is cut, and no car is made to charge more than its price with the adder says", () => {
  // At the floor of 0.05 the car takes L = (0.2 − 0.05 − 0.01·L)·200/3, which is 6; all 8 of the sun would need a price of 0.
  const adderOf10 = { priceAdderPerPercent: 0.001, ratingKW: 10 };
  const result = clearTwoNodes(
    { adder: adderOf10 },
    { above: { sun: curve([0.01, 8]) }, below: { car: curve([0.05, -10], [0.2, 0]) } },
    { minPricePerKWh: 0.05 },
  );
  expect(result).toMatchObject({ status: "OVERSUPPLY", pricePerKWh: 0.05, unmetKW: 0 });
  expect(powerOf(result, "sun")).toBeCloseTo(6, 9);
  expect(powerOf(result, "car")).toBeCloseTo(-6, 9);
  expect(nodeOf(result, "transformer").pricePerKWh).toBeCloseTo(0.11, 9);
});

test("adders of nation, state, city and street add up on the way down", () => {
  const nodes = ["nation", "state", "city", "street"].map((era, level, all) => ({
    era,
    ...(level === 0 ? {} : { parent: all[level - 1] as string }),
    uncontrolledKW: -10,
    adder: { priceAdderPerPercent: 0.001, ratingKW: 100 },
  }));
  const result = clearGrid(nodes, [], { currency: "INR", targetKW: 0, rationing: "PRO_RATA", external });
  // 40, 30, 20 and 10 percent.
  expect(nodes.map(({ era }) => nodeOf(result, era).flowKW)).toEqual([-40, -30, -20, -10]);
  const prices = nodes.map(({ era }) => nodeOf(result, era).pricePerKWh ?? Number.NaN);
  for (const [index, price] of [0.14, 0.17, 0.19, 0.2].entries()) expect(prices[index]).toBeCloseTo(price, 12);
});
