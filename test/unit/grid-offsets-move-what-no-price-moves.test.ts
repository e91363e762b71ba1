import { describe, expect, test } from "vitest";
import { clearTwoNodes, curve, marketAt, nodeOf, powerOf } from "../support/small-grid.ts";

/** Generates 8.5 kW at any price between 0.15 and 0.20, and 10 from 0.25 on. */
const sun = curve([0.1, 0], [0.15, 8.5], [0.2, 8.5], [0.25, 10]);

describe("a plateau", () => {
  test("has the middle of its band as price, and says which band", () => {
    const result = clearTwoNodes({}, { above: { house: curve([0.1, -8.5]) }, below: { sun } });
    expect(result).toMatchObject({ status: "PLATEAU", plateau: { fromPerKWh: 0.15, toPerKWh: 0.2 } });
    expect(result.pricePerKWh).toBeCloseTo(0.175, 12);
    expect(powerOf(result, "sun")).toBe(8.5);
  });

  test("is moved by what an offset injects: 8.5 − 2.0 = 6.5", () => {
    const house = curve([0.1, -8.5]);
    const result = clearTwoNodes({ offsetKW: 2 }, { above: { house }, below: { sun } });
    expect(powerOf(result, "sun")).toBeCloseTo(6.5, 12);
    // On the slope below the plateau: 0.10 + 6.5 / 8.5 × 0.05.
    expect(result.pricePerKWh).toBeCloseTo(0.1 + (6.5 / 8.5) * 0.05, 12);
    expect(nodeOf(result, "transformer").flowKW).toBeCloseTo(8.5, 12);
    expect(nodeOf(result, "transformer")).not.toHaveProperty("unservedOffsetKW");
  });

  test("sends 6.5 of 8.5 kW through where 2.0 are taken off at the node, and the neighbours make do with less", () => {
    const house = curve([0.17, -8.5], [0.21, -4.5]);
    const steady = curve([0.1, 8.5]);
    const result = clearTwoNodes({ offsetKW: -2 }, { above: { house }, below: { steady } });
    expect(powerOf(result, "steady")).toBe(8.5);
    expect(nodeOf(result, "transformer").flowKW).toBeCloseTo(6.5, 12);
    expect(powerOf(result, "house")).toBeCloseTo(-6.5, 12);
    expect(result.pricePerKWh).toBeCloseTo(0.19, 12);
  });
});

describe("an offset that nobody can take up", () => {
  test("stays unserved, with its sign, and no bid is cut for it", () => {
    // The sun can give 10 at most, of which the house needs 8.5.
    const result = clearTwoNodes({ offsetKW: -4 }, { above: { house: curve([0.1, -8.5]) }, below: { sun } });
    expect(powerOf(result, "sun")).toBe(10);
    expect(powerOf(result, "house")).toBe(-8.5);
    expect(nodeOf(result, "transformer").unservedOffsetKW).toBeCloseTo(-2.5, 12);
    expect(nodeOf(result, "transformer").flowKW).toBeCloseTo(8.5, 12);
    expect(result).toMatchObject({ status: "PLATEAU", unmetKW: 0, plateau: { fromPerKWh: 0.25 } });
  });

  test("is unserved too where the whole market could take it and the limit is in the way", () => {
    const result = clearTwoNodes({ offsetKW: 9, maxReverseFlowKW: 5 }, {}, { external: marketAt(0.1) });
    expect(nodeOf(result, "transformer")).toMatchObject({ flowKW: 5, unservedOffsetKW: 4, boundBy: "REVERSE" });
    expect(result.externalKW).toBe(-5);
  });

  test("is what is left after the bids below the limit have taken their part", () => {
    const car = curve([0.1, -3], [0.2, 0]);
    const result = clearTwoNodes(
      { offsetKW: 9, maxReverseFlowKW: 5 },
      { below: { car } },
      { external: marketAt(0.15) },
    );
    expect(powerOf(result, "car")).toBeCloseTo(-3, 12);
    expect(nodeOf(result, "transformer").unservedOffsetKW).toBeCloseTo(1, 12);
    expect(nodeOf(result, "transformer").flowKW).toBe(5);
    expect(nodeOf(result, "transformer").pricePerKWh).toBeCloseTo(0.1, 12);
  });
});
