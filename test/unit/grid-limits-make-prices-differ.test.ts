import { describe, expect, test } from "vitest";
import { clearTwoNodes, curve, marketAt, nodeOf, powerOf } from "../support/small-grid.ts";

/** 10 kW at 0.10, 0 at 0.20: wants less the dearer it gets. */
const load = curve([0.1, -10], [0.2, 0]);
/** 0 at 0.05, 10 kW at 0.15. */
const generator = curve([0.05, 0], [0.15, 10]);

describe("a transformer between a generator and a load", () => {
  test("that lets everything through has the price of the market", () => {
    // (0.2 − p)·100 = (p − 0.05)·100 at p = 0.125.
    const result = clearTwoNodes({ maxForwardFlowKW: 8 }, { above: { sun: generator }, below: { car: load } });
    expect(result.status).toBe("CLEARED");
    expect(result.pricePerKWh).toBeCloseTo(0.125, 12);
    expect(result.clearedKW).toBeCloseTo(7.5, 12);
    expect(powerOf(result, "car")).toBeCloseTo(-7.5, 12);
    expect(nodeOf(result, "transformer")).toMatchObject({ adderPerKWh: 0, congestionRentPerHour: 0 });
    expect(nodeOf(result, "transformer")).not.toHaveProperty("boundBy");
  });

  test("whose import limit holds makes it dearer below, and the grid operator earns the difference", () => {
    const result = clearTwoNodes({ maxForwardFlowKW: 4 }, { above: { sun: generator }, below: { car: load } });
    expect(result.pricePerKWh).toBeCloseTo(0.09, 12);
    expect(powerOf(result, "sun")).toBeCloseTo(4, 12);
    expect(powerOf(result, "car")).toBe(-4);
    const transformer = nodeOf(result, "transformer");
    expect(transformer).toMatchObject({ flowKW: -4, boundBy: "FORWARD" });
    expect(transformer.pricePerKWh).toBeCloseTo(0.16, 12);
    expect(transformer.adderPerKWh).toBeCloseTo(0.07, 12);
    expect(transformer.congestionRentPerHour).toBeCloseTo(0.28, 12);
    // What the car pays, less what the sun gets.
    expect(4 * 0.16 - 4 * 0.09).toBeCloseTo(transformer.congestionRentPerHour, 12);
  });

  test("whose export limit holds makes it cheaper below", () => {
    const result = clearTwoNodes({ maxReverseFlowKW: 4 }, { above: { car: load }, below: { sun: generator } });
    expect(result.pricePerKWh).toBeCloseTo(0.16, 12);
    const transformer = nodeOf(result, "transformer");
    expect(transformer).toMatchObject({ flowKW: 4, boundBy: "REVERSE" });
    expect(transformer.pricePerKWh).toBeCloseTo(0.09, 12);
    expect(transformer.adderPerKWh).toBeCloseTo(-0.07, 12);
    expect(transformer.congestionRentPerHour).toBeCloseTo(0.28, 12);
  });

  test("that is cut off altogether has a price of its own", () => {
    const closed = { maxForwardFlowKW: 0, maxReverseFlowKW: 0 };
    const result = clearTwoNodes(closed, { below: { car: load, sun: generator } }, { external: marketAt(0.3) });
    expect(result.pricePerKWh).toBe(0.3);
    expect(nodeOf(result, "transformer")).toMatchObject({ flowKW: 0, congestionRentPerHour: 0, boundBy: "REVERSE" });
    expect(nodeOf(result, "transformer").pricePerKWh).toBeCloseTo(0.125, 12);
  });

  test("counts load that takes no part towards its limit", () => {
    const limits = { maxForwardFlowKW: 10, uncontrolledKW: -6 };
    const result = clearTwoNodes(limits, { below: { car: load } }, { external: marketAt(0.05) });
    expect(powerOf(result, "car")).toBe(-4);
    expect(nodeOf(result, "transformer").flowKW).toBe(-10);
    expect(nodeOf(result, "transformer").pricePerKWh).toBeCloseTo(0.16, 12);
    expect(result.externalKW).toBe(10);
  });
});

describe("cars that all give up at one price, behind a transformer that can't feed them", () => {
  const allOrNothing = (powerKW: number) => curve([0.15, -powerKW], [0.15, 0]);

  test("share what comes through in proportion", () => {
    const below = { "car-a": allOrNothing(8), "car-b": allOrNothing(4) };
    const result = clearTwoNodes({ maxForwardFlowKW: 6 }, { below }, { external: curve([0.05, 0], [0.1, 50]) });
    expect(result.status).toBe("RATIONED");
    expect(powerOf(result, "car-a")).toBeCloseTo(-4, 12);
    expect(powerOf(result, "car-b")).toBeCloseTo(-2, 12);
    expect(nodeOf(result, "transformer")).toMatchObject({ pricePerKWh: 0.15, flowKW: -6, boundBy: "FORWARD" });
    expect(result.pricePerKWh).toBeCloseTo(0.056, 12);
  });

  test("are served one after the other where the rules say so", () => {
    const below = {
      "car-a": { curve: allOrNothing(8), priority: 2 },
      "car-b": { curve: allOrNothing(4), priority: 1, submittedAtMs: 2000 },
      "car-c": { curve: allOrNothing(3), priority: 1, submittedAtMs: 1000 },
    };
    const rules = { external: curve([0.05, 0], [0.1, 50]), rationing: "PRIORITY" as const };
    const result = clearTwoNodes({ maxForwardFlowKW: 6 }, { below }, rules);
    expect(["car-c", "car-b", "car-a"].map((era) => powerOf(result, era))).toEqual([-3, -3, 0]);
  });

  test("go by priority across transformers, as far as each transformer's limit lets them", () => {
    const below = { "car-a": { curve: allOrNothing(8), priority: 1 } };
    const above = { "car-b": { curve: allOrNothing(8), priority: 2 }, sun: curve([0.02, 10], [0.3, 10]) };
    const rules = { rationing: "PRIORITY" as const };
    const wide = clearTwoNodes({ maxForwardFlowKW: 9 }, { above, below }, rules);
    expect(["car-a", "car-b"].map((era) => powerOf(wide, era))).toEqual([-8, -2]);
    const narrow = clearTwoNodes({ maxForwardFlowKW: 5 }, { above, below }, rules);
    expect(["car-a", "car-b"].map((era) => powerOf(narrow, era))).toEqual([-5, -5]);
  });
});

describe("a load that takes any price, behind a limit", () => {
  const stubborn = curve([0.1, -8]);

  test("is cut to what comes through, at the highest price, and the clearing says so", () => {
    const rules = { external: marketAt(0.1), maxPricePerKWh: 0.5 };
    const result = clearTwoNodes({ maxForwardFlowKW: 5 }, { below: { heater: stubborn } }, rules);
    expect(result).toMatchObject({ status: "SHORTAGE", pricePerKWh: 0.1, unmetKW: 0 });
    expect(powerOf(result, "heater")).toBe(-5);
    expect(nodeOf(result, "transformer")).toMatchObject({ pricePerKWh: 0.5, boundBy: "FORWARD" });
  });

  test("is not cut below what its bounds say it needs", () => {
    const needy = { curve: stubborn, bounds: { maxPowerKW: -6 } };
    const clearing = () => clearTwoNodes({ maxForwardFlowKW: 5 }, { below: { needy } }, { external: marketAt(0.1) });
    expect(clearing).toThrow("transformer: maxForwardFlowKW 5 is exceeded by 1 kW");
  });
});
