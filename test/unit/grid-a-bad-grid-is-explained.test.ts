import { describe, expect, test } from "vitest";
import { BidError, type ClearingRules } from "../../src/clearing/clearing-types.ts";
import { clearGrid } from "../../src/clearing/grid/clear-grid.ts";
import { GridError } from "../../src/clearing/grid/grid-error.ts";
import type { GridNode, GridParticipant } from "../../src/clearing/grid-types.ts";
import { curve, marketAt } from "../support/small-grid.ts";

const rules: ClearingRules = { currency: "INR", targetKW: 0, rationing: "PRO_RATA" };
const root: GridNode = { era: "root" };

function errorOf(nodes: readonly GridNode[], participants: readonly GridParticipant[] = [], more = {}): unknown {
  try {
    clearGrid(nodes, participants, { ...rules, ...more });
  } catch (error) {
    return error;
  }
  return undefined;
}

describe("a grid that is no tree", () => {
  test.each<[fault: string, era: string, message: string, nodes: GridNode[]]>([
    ["no node", "grid", "there is no root", []],
    ["two roots", "other", "has no parent, and neither has root: one root only", [root, { era: "other" }]],
    ["an unknown parent", "a", "parent nowhere is not in the grid", [root, { era: "a", parent: "nowhere" }]],
    [
      "a node told twice",
      "a",
      "is in the grid twice",
      [root, { era: "a", parent: "root" }, { era: "a", parent: "root" }],
    ],
    [
      "only children",
      "a",
      "there is no root",
      [
        { era: "a", parent: "b" },
        { era: "b", parent: "a" },
      ],
    ],
    [
      "a cycle beside the root",
      "b",
      "is its own ancestor",
      [root, { era: "a", parent: "b" }, { era: "b", parent: "c" }, { era: "c", parent: "b" }],
    ],
  ])("is refused: %s", (_fault, era, message, nodes) => {
    const error = errorOf(nodes);
    expect(error).toBeInstanceOf(GridError);
    expect(error).toMatchObject({ era });
    expect(String(error)).toContain(`${era}: ${message}`);
  });

  test("is refused where it is deeper than 32 levels, and cleared where it is not", () => {
    const chain = (levels: number): GridNode[] =>
      Array.from({ length: levels }, (_, level) => ({
        era: `level-${level + 1}`,
        ...(level === 0 ? {} : { parent: `level-${level}` }),
      }));
    expect(errorOf(chain(32))).toBeUndefined();
    expect(errorOf(chain(33))).toMatchObject({ name: "GridError", era: "level-33" });
  });

  test("is refused where it is larger than can be cleared", () => {
    const nodes = Array.from({ length: 100_001 }, (_, index) => ({ era: `node-${index}` }));
    expect(String(errorOf(nodes))).toContain("100001 nodes are more than 100000");
  });
});

test.each<[field: string, node: Partial<GridNode>]>([
  ["maxForwardFlowKW", { maxForwardFlowKW: -1 }],
  ["maxReverseFlowKW", { maxReverseFlowKW: Number.NaN }],
  ["uncontrolledKW", { uncontrolledKW: Number.POSITIVE_INFINITY }],
  ["offsetKW", { offsetKW: Number.NaN }],
  ["adder.ratingKW", { adder: { priceAdderPerPercent: 0.001, ratingKW: 0 } }],
  ["adder.priceAdderPerPercent", { adder: { priceAdderPerPercent: -0.001, ratingKW: 10 } }],
  ["adder.congestionMultiplier", { adder: { priceAdderPerPercent: 0, congestionMultiplier: -1, ratingKW: 10 } }],
])("a bad number is named: %s", (field, node) => {
  const error = errorOf([root, { era: "transformer", parent: "root", ...node }]);
  expect(error).toMatchObject({ name: "GridError", era: "transformer" });
  expect(String(error)).toContain(field);
});

describe("a limit that nothing can keep", () => {
  test("is an error with the node and the kW, never a clearing that breaks it", () => {
    const overloaded = { era: "transformer", parent: "root", maxForwardFlowKW: 200, uncontrolledKW: -230 };
    const error = errorOf([root, overloaded], [], { external: marketAt(0.1) });
    expect(error).toMatchObject({ name: "GridError", era: "transformer", excessKW: 30 });
    expect(String(error)).toContain("maxForwardFlowKW 200 is exceeded by 30 kW");
  });

  test("is told for export too", () => {
    const overloaded = { era: "transformer", parent: "root", maxReverseFlowKW: 50, uncontrolledKW: 80 };
    const error = errorOf([root, overloaded], [], { external: marketAt(0.1) });
    expect(error).toMatchObject({ era: "transformer", excessKW: 30 });
    expect(String(error)).toContain("maxReverseFlowKW 50 is exceeded by 30 kW");
  });

  test("is kept where a bid below can still help", () => {
    const nodes = [root, { era: "transformer", parent: "root", maxForwardFlowKW: 200, uncontrolledKW: -230 }];
    const battery = { era: "battery", node: "transformer", curve: curve([0.1, 0], [0.5, 40]) };
    const result = clearGrid(nodes, [battery], { ...rules, external: marketAt(0.1) });
    expect(result.setpoints).toEqual([{ era: "battery", powerKW: 30 }]);
    expect(result.nodes[1]?.pricePerKWh).toBeCloseTo(0.4, 12);
  });
});

describe("a bid that can't be cleared", () => {
  test.each<[message: string, bids: GridParticipant[]]>([
    ["car: node nowhere is not in the grid", [{ era: "car", node: "nowhere", curve: curve([0.1, -1]) }]],
    [
      "car: bids twice",
      [
        { era: "car", curve: curve([0.1, -1]) },
        { era: "car", curve: curve([0.1, -2]) },
      ],
    ],
    ["car: the curve is in EUR", [{ era: "car", curve: { ...curve([0.1, -1]), currency: "EUR" } }]],
    ["car: point 1: powerKW 0 is below 5", [{ era: "car", curve: curve([0.1, 5], [0.2, 0]) }]],
    ["car: price 1e+120 is beyond", [{ era: "car", curve: curve([0.1, -5], [1e120, 0]) }]],
  ])("is named: %s", (message, bids) => {
    const error = errorOf([root], bids);
    expect(error).toBeInstanceOf(BidError);
    expect(String(error)).toContain(message);
  });
});

test("a market without bids is empty: flows, and no prices", () => {
  const result = clearGrid([root, { era: "transformer", parent: "root" }], [], rules);
  expect(result).toMatchObject({ status: "EMPTY", clearedKW: 0, setpoints: [], unmetKW: 0 });
  expect(result).not.toHaveProperty("pricePerKWh");
  expect(result.nodes[1]).toEqual({ era: "transformer", adderPerKWh: 0, flowKW: 0, congestionRentPerHour: 0 });
});
