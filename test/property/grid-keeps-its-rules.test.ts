import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { clear } from "../../src/clearing/clear.ts";
import type { ClearingRules } from "../../src/clearing/clearing-types.ts";
import { clearGrid } from "../../src/clearing/grid/clear-grid.ts";
import { GridError } from "../../src/clearing/grid/grid-error.ts";
import type { GridClearingResult, GridNode } from "../../src/clearing/grid-types.ts";
import { powerRangeAt } from "../../src/model/bid-curve.ts";
import { adderPerKW, costOf } from "../support/grid-cost.ts";
import { chance, type GridCase, randomGrid } from "../support/random-grid.ts";

const seeds = fc.integer({ min: 1000, max: 2 ** 31 });

/** Grids with everything in them: adders, offsets, both ways of rationing, price limits, a target. */
const anyGrid = fc
  .record({
    seed: seeds,
    rationing: fc.constantFrom("PRO_RATA" as const, "PRIORITY" as const),
    targetKW: fc.constantFrom(0, 0, 3, -3),
    limits: fc.constantFrom<Partial<ClearingRules>>({}, {}, { minPricePerKWh: 0.06, maxPricePerKWh: 0.18 }),
  })
  .map(({ seed, rationing, targetKW, limits }): GridCase => {
    const grid = randomGrid(seed, { offsets: true });
    const random = chance(seed);
    const participants = grid.participants.map((bid) => ({ ...bid, priority: Math.floor(random() * 3) }));
    return { nodes: grid.nodes, participants, rules: { ...grid.rules, rationing, targetKW, ...limits } };
  });

/** Clears it, or nothing if a limit can't be kept. */
function cleared({ nodes, participants, rules }: GridCase): GridClearingResult | undefined {
  try {
    return clearGrid(nodes, participants, rules);
  } catch (error) {
    if (error instanceof GridError && error.excessKW !== undefined) return undefined;
    throw error;
  }
}

function forEveryGrid(
  grids: fc.Arbitrary<GridCase>,
  check: (grid: GridCase, result: GridClearingResult) => void,
): void {
  fc.assert(
    fc.property(grids, (grid) => {
      const result = cleared(grid);
      if (result !== undefined) check(grid, result);
    }),
    { numRuns: 400 },
  );
}

function outcome(result: GridClearingResult, { era }: GridNode) {
  const found = result.nodes.find((node) => node.era === era);
  if (found === undefined) throw new Error(`no outcome for ${era}`);
  return found;
}

/** What is injected at a node without being traded, kW. */
function injectedKW(result: GridClearingResult, node: GridNode): number {
  return (node.uncontrolledKW ?? 0) + (node.offsetKW ?? 0) - (outcome(result, node).unservedOffsetKW ?? 0);
}

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);

describe("a cleared grid", () => {
  test("balances at every node and as a whole", () => {
    forEveryGrid(anyGrid, ({ nodes, participants, rules }, result) => {
      for (const node of nodes) {
        const own = participants.flatMap((bid, index) =>
          bid.node === node.era ? [result.setpoints[index]?.powerKW ?? Number.NaN] : [],
        );
        const below = nodes.filter(({ parent }) => parent === node.era).map((child) => outcome(result, child).flowKW);
        const flowKW = sum([...own, ...below, injectedKW(result, node)]);
        expect(flowKW).toBeCloseTo(outcome(result, node).flowKW, 9);
      }
      const total = sum([
        ...result.setpoints.map(({ powerKW }) => powerKW),
        ...nodes.map((node) => injectedKW(result, node)),
        result.externalKW ?? 0,
      ]);
      expect(total).toBeCloseTo(rules.targetKW - result.unmetKW, 9);
    });
  });

  test("lets no flow past a limit, not by one rounding", () => {
    forEveryGrid(anyGrid, ({ nodes }, result) => {
      for (const node of nodes) {
        const { flowKW } = outcome(result, node);
        expect(flowKW).toBeGreaterThanOrEqual(-(node.maxForwardFlowKW ?? Number.POSITIVE_INFINITY));
        expect(flowKW).toBeLessThanOrEqual(node.maxReverseFlowKW ?? Number.POSITIVE_INFINITY);
      }
    });
  });

  test("asks of nobody what the bid does not say at the local price, unless it says that it had to cut", () => {
    forEveryGrid(anyGrid, ({ nodes, participants, rules }, result) => {
      if (!["CLEARED", "PLATEAU", "RATIONED"].includes(result.status)) return;
      for (const [index, { curve, node }] of participants.entries()) {
        const at = nodes.find(({ era }) => era === node) as GridNode;
        const price = outcome(result, at).pricePerKWh ?? Number.NaN;
        const { powerKW } = result.setpoints[index] as { powerKW: number };
        // At a price limit all further out is beyond what the market has; the limit itself is a jump's foot or top.
        const { lowKW } = powerRangeAt(curve, price - 1e-9);
        const { highKW } = powerRangeAt(curve, price + 1e-9);
        expect(powerKW).toBeGreaterThanOrEqual(lowKW - 1e-9);
        expect(powerKW).toBeLessThanOrEqual(highKW + 1e-9);
        expect(price).toBeGreaterThanOrEqual(rules.minPricePerKWh ?? Number.NEGATIVE_INFINITY);
        expect(price).toBeLessThanOrEqual(rules.maxPricePerKWh ?? Number.POSITIVE_INFINITY);
      }
    });
  });

  test("makes nobody trade more than the bid says, whatever has to be cut", () => {
    forEveryGrid(anyGrid, ({ nodes, participants }, result) => {
      for (const [index, { curve, node }] of participants.entries()) {
        const at = nodes.find(({ era }) => era === node) as GridNode;
        const { pricePerKWh: price = 0 } = outcome(result, at);
        const { powerKW } = result.setpoints[index] as { powerKW: number };
        if (powerKW < 0) expect(powerKW).toBeGreaterThanOrEqual(powerRangeAt(curve, price - 1e-9).lowKW - 1e-9);
        if (powerKW > 0) expect(powerKW).toBeLessThanOrEqual(powerRangeAt(curve, price + 1e-9).highKW + 1e-9);
      }
    });
  });

  test("has prices that differ by the adder times the import, and by more only where a limit holds", () => {
    forEveryGrid(anyGrid, ({ nodes, rules }, result) => {
      if (result.status === "EMPTY") return;
      const hasUnserved = result.nodes.some(({ unservedOffsetKW = 0 }) => unservedOffsetKW > 0);
      const everyBidAtItsEnd = hasUnserved || result.status === "OVERSUPPLY";
      for (const node of nodes) {
        const { adderPerKWh, flowKW, boundBy, pricePerKWh } = outcome(result, node);
        const adder = adderPerKW(node) * Math.max(0, -flowKW);
        const above = nodes.find(({ era }) => era === node.parent);
        const parentPrice = above === undefined ? result.pricePerKWh : outcome(result, above).pricePerKWh;
        expect(pricePerKWh).toBeCloseTo((parentPrice ?? Number.NaN) + adderPerKWh, 12);
        // At a price limit of the rules the adder is what is left of it, on whichever side the limit stands in the way.
        const leastParentPrice = rules.minPricePerKWh ?? Number.NEGATIVE_INFINITY;
        const isLow = adder > 0 && (pricePerKWh ?? 0) - adder < leastParentPrice + 1e-12;
        const isHeld = pricePerKWh === rules.maxPricePerKWh || isLow;
        if (isHeld) expect(adderPerKWh).toBeGreaterThanOrEqual(0);
        else if (boundBy === undefined && everyBidAtItsEnd) {
          expect(adderPerKWh).toBeGreaterThanOrEqual(0);
          expect(adderPerKWh).toBeLessThan(adder + 1e-9);
        } else if (boundBy === "FORWARD") expect(adderPerKWh).toBeGreaterThanOrEqual(adder - 1e-12);
        else if (boundBy === "REVERSE") expect(adderPerKWh).toBeLessThanOrEqual(0);
        else expect(Math.abs(adderPerKWh - adder)).toBeLessThan(1e-9);
      }
    });
  });

  test("leaves in rents, of which none is negative, exactly what those who pay give more than others get", () => {
    forEveryGrid(anyGrid, ({ nodes, participants, rules }, result) => {
      if (result.status === "EMPTY") return;
      const priceAt = (era?: string) => result.nodes.find((node) => node.era === era)?.pricePerKWh ?? Number.NaN;
      const market = result.pricePerKWh ?? Number.NaN;
      const fromBids = participants.map(
        ({ node }, index) => -priceAt(node) * (result.setpoints[index]?.powerKW ?? Number.NaN),
      );
      const fromInjections = nodes.map((node) => -priceAt(node.era) * injectedKW(result, node));
      // What leaves the grid at the top is bought there, and what the outside sells is paid.
      const atTheTop = market * (rules.targetKW - result.unmetKW - (result.externalKW ?? 0));
      const rents = result.nodes.map(({ congestionRentPerHour }) => congestionRentPerHour);
      for (const rent of rents) expect(rent).toBeGreaterThanOrEqual(0);
      expect(sum([...fromBids, ...fromInjections, atTheTop])).toBeCloseTo(sum(rents), 6);
    });
  });

  test("is the same to the last bit in whatever order it is told", () => {
    forEveryGrid(anyGrid, (grid, result) => {
      const random = chance(grid.nodes.length * 31 + grid.participants.length);
      const shuffled = <T>(list: readonly T[]) =>
        list
          .map((value) => ({ value, at: random() }))
          .sort((a, b) => a.at - b.at)
          .map(({ value }) => value);
      const again = cleared({ ...grid, nodes: shuffled(grid.nodes), participants: shuffled(grid.participants) });
      const sorted = ({ setpoints, nodes, ...rest }: GridClearingResult) => ({
        ...rest,
        setpoints: setpoints.toSorted((a, b) => (a.era < b.era ? -1 : 1)),
        nodes: nodes.toSorted((a, b) => (a.era < b.era ? -1 : 1)),
      });
      expect(again && sorted(again)).toEqual(sorted(result));
    });
  });

  test("never costs more after a limit was raised", () => {
    const withLimits = seeds.map((seed) => randomGrid(seed, { adders: false }));
    forEveryGrid(withLimits, (grid, result) => {
      for (const [index, node] of grid.nodes.entries()) {
        if (node.maxForwardFlowKW === undefined || node.maxReverseFlowKW === undefined) continue;
        const wider = { maxForwardFlowKW: node.maxForwardFlowKW * 1.3, maxReverseFlowKW: node.maxReverseFlowKW + 1 };
        const raised = { ...grid, nodes: grid.nodes.with(index, { ...node, ...wider }) };
        const after = cleared(raised);
        if (after === undefined || result.unmetKW !== 0) continue;
        expect(costOf(raised, after)).toBeLessThanOrEqual(costOf(grid, result) + 1e-8);
      }
    });
  });
});

test("a grid of one node without limits clears as a market without a grid", () => {
  forEveryGrid(anyGrid, ({ participants, rules }) => {
    const bids = participants.map(({ node: _, ...bid }) => bid);
    const grid = clearGrid([{ era: "root" }], bids, rules);
    const plain = clear(bids, rules);
    expect(grid.status).toBe(plain.status);
    expect(grid.unmetKW).toBeCloseTo(plain.unmetKW, 6);
    if (plain.pricePerKWh === undefined) expect(grid.pricePerKWh).toBeUndefined();
    else expect(grid.pricePerKWh).toBeCloseTo(plain.pricePerKWh, 8);
    for (const [index, { powerKW }] of plain.setpoints.entries()) {
      expect(grid.setpoints[index]?.powerKW).toBeCloseTo(powerKW, 6);
    }
  });
});

test("through four levels each adder is its factor times its own import", () => {
  const levels = fc.array(fc.double({ min: 0, max: 0.01, noNaN: true }), { minLength: 4, maxLength: 4 });
  fc.assert(
    fc.property(levels, seeds, (factors, seed) => {
      const random = chance(seed);
      const nodes: GridNode[] = factors.map((priceAdderPerPercent, level) => ({
        era: `level-${level}`,
        ...(level === 0 ? {} : { parent: `level-${level - 1}` }),
        uncontrolledKW: -random() * 5,
        adder: { priceAdderPerPercent, congestionMultiplier: 1 + random(), ratingKW: 20 + 80 * random() },
      }));
      const { participants, rules } = randomGrid(seed);
      const bids = participants.map((bid, index) => ({ ...bid, node: `level-${index % 4}` }));
      const external = rules.external ?? {
        shape: "LINEAR" as const,
        currency: "INR",
        points: [
          { pricePerKWh: 0.05, powerKW: -100 },
          { pricePerKWh: 0.1, powerKW: 100 },
        ],
      };
      const result = clearGrid(nodes, bids, { ...rules, external });
      let above = result.pricePerKWh ?? Number.NaN;
      for (const node of nodes) {
        const { pricePerKWh = Number.NaN, flowKW } = outcome(result, node);
        const { ratingKW, priceAdderPerPercent, congestionMultiplier = 1 } = node.adder as Required<GridNode>["adder"];
        const loadPercent = (100 * Math.max(0, -flowKW)) / ratingKW;
        expect(Math.abs(pricePerKWh - above - congestionMultiplier * priceAdderPerPercent * loadPercent)).toBeLessThan(
          1e-9,
        );
        above = pricePerKWh;
      }
    }),
    { numRuns: 200 },
  );
});
