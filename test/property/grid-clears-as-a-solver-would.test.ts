import { beforeAll, expect, test } from "vitest";
import { clearGrid } from "../../src/clearing/grid/clear-grid.ts";
import { GridError } from "../../src/clearing/grid/grid-error.ts";
import type { GridClearingResult } from "../../src/clearing/grid-types.ts";
import type { BidCurve } from "../../src/model/bid-curve.ts";
import { adderPerKW, costOf, stretches } from "../support/grid-cost.ts";
import { type QpRow, type QpSolver, type QpVariable, qpSolver } from "../support/qp-solver.ts";
import { type GridCase, randomGrid } from "../support/random-grid.ts";

/** More than any of these grids carries. */
const FAR_KW = 1000;

/** The least cost of a grid, told to the solver as it stands in the textbook. */
function leastCost(solve: QpSolver, { nodes, participants, rules }: GridCase): ReturnType<QpSolver> {
  const variables: QpVariable[] = [];
  const balance = new Map(nodes.map(({ era }) => [era, { terms: [] as [number, string][], fixedKW: 0 }]));
  const at = (era: string) => balance.get(era) as { terms: [number, string][]; fixedKW: number };
  const top = { terms: [] as [number, string][], fixedKW: 0 };
  const add = (name: string, curve: BidCurve, row: { terms: [number, string][]; fixedKW: number }) => {
    const { startKW, stretches: parts } = stretches(curve);
    row.fixedKW += startKW;
    for (const [index, { widthKW, from, to }] of parts.entries()) {
      if (widthKW === 0) continue;
      const variable = `${name}_${index}`;
      variables.push({ name: variable, low: 0, high: widthKW, linear: from, half: (to - from) / widthKW });
      row.terms.push([1, variable]);
    }
  };
  for (const [index, { node, curve }] of participants.entries()) {
    add(`b${index}`, curve, node === undefined ? top : at(node));
  }
  if (rules.external !== undefined) add("outside", rules.external, top);
  for (const [index, node] of nodes.entries()) {
    const row = at(node.era);
    row.fixedKW += node.uncontrolledKW ?? 0;
    const above = node.parent === undefined ? top : at(node.parent);
    const { maxForwardFlowKW: forwardKW = FAR_KW, maxReverseFlowKW: reverseKW = FAR_KW } = node;
    const half = adderPerKW(node);
    // One variable for the flow; only where import alone costs something, one for each direction.
    const flows: readonly QpVariable[] =
      half === 0
        ? [{ name: `flow${index}`, low: -forwardKW, high: reverseKW, linear: 0, half }]
        : [
            { name: `in${index}`, low: -forwardKW, high: 0, linear: 0, half },
            { name: `out${index}`, low: 0, high: reverseKW, linear: 0, half: 0 },
          ];
    for (const flow of flows) {
      variables.push(flow);
      row.terms.push([-1, flow.name]);
      above.terms.push([1, flow.name]);
    }
  }
  const rows: QpRow[] = [...balance.values(), top].map(({ terms, fixedKW }) => ({ terms, equals: -fixedKW }));
  return solve(variables, rows);
}

let solve: QpSolver;
beforeAll(async () => {
  solve = await qpSolver();
});

/** Clears a grid, or says that nothing can keep its limits or its balance. */
function cleared({ nodes, participants, rules }: GridCase): GridClearingResult | "INFEASIBLE" {
  try {
    const result = clearGrid(nodes, participants, rules);
    return result.unmetKW === 0 ? result : "INFEASIBLE";
  } catch (error) {
    if (error instanceof GridError) return "INFEASIBLE";
    throw error;
  }
}

const wasCut = ({ status }: GridClearingResult) => status === "SHORTAGE" || status === "OVERSUPPLY";

test("300 random grids of three levels cost what a solver finds, to the ten-millionth", () => {
  const held = { FORWARD: 0, REVERSE: 0 };
  let compared = 0;
  let cut = 0;
  for (let seed = 1; compared < 300 && seed <= 400; seed++) {
    let grid = randomGrid(seed);
    let result = cleared(grid);
    if (result !== "INFEASIBLE" && wasCut(result)) {
      // What is cut is shared in proportion, on purpose, and not by which adder is the smallest.
      grid = { ...grid, nodes: grid.nodes.map(({ adder: _, ...node }) => node) };
      result = cleared(grid);
    }
    const least = leastCost(solve, grid);
    if (least === "GAVE_UP") continue;
    if (least === "INFEASIBLE" || result === "INFEASIBLE") {
      expect(result, `seed ${seed}`).toBe(least);
      continue;
    }
    const ours = costOf(grid, result);
    expect(Math.abs(ours - least), `seed ${seed}: ours ${ours}, the solver's ${least}`).toBeLessThan(1e-7);
    compared += 1;
    if (wasCut(result)) cut += 1;
    for (const direction of new Set(result.nodes.map(({ boundBy }) => boundBy))) {
      if (direction !== undefined) held[direction] += 1;
    }
  }
  expect(compared).toBe(300);
  // The cases are worth something only if limits hold in them, and bids are cut in some.
  expect(held.FORWARD).toBeGreaterThan(75);
  expect(held.REVERSE).toBeGreaterThan(75);
  expect(cut).toBeGreaterThan(5);
});
