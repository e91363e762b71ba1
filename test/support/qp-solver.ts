import highsLoader, { type Highs } from "highs";

/** A variable of a convex quadratic program, with its cost `linear × x + half × x² / 2`. */
export interface QpVariable {
  readonly name: string;
  readonly low: number;
  readonly high: number;
  readonly linear: number;
  /** ≥ 0 */
  readonly half: number;
}

/** `Σ factor × variable = equals`. */
export interface QpRow {
  readonly terms: readonly (readonly [factor: number, name: string])[];
  readonly equals: number;
}

/**
 * The least cost of a convex quadratic program. `INFEASIBLE` if nothing meets its rows; `GAVE_UP` if the solver went round
 * in circles, which it does now and then where many bounds meet in one point.
 */
export type QpSolver = (variables: readonly QpVariable[], rows: readonly QpRow[]) => number | "INFEASIBLE" | "GAVE_UP";

/** The solver is a program compiled to WebAssembly and shares no code with what it checks. */
export async function qpSolver(): Promise<QpSolver> {
  // Its types are written for CommonJS, where the default export is a property.
  const load = highsLoader as unknown as () => Promise<Highs>;
  const highs = await load();
  return (variables, rows) => {
    const linear = variables.map(({ name, linear }) => term(linear, name)).join(" ");
    const squares = variables.filter(({ half }) => half !== 0).map(({ name, half }) => `${term(half, name)}^2`);
    const text = [
      "Minimize",
      // One piece a line: the format has a limit on the length of lines.
      ` cost: ${linear}`.replaceAll(" + ", "\n + ").replaceAll(" - ", "\n - "),
      squares.length === 0 ? "" : ` + [ ${squares.join("\n ")} ] / 2`,
      "Subject To",
      ...rows.map(({ terms, equals }, index) => {
        return ` row${index}: ${terms.map(([factor, name]) => term(factor, name)).join("\n ")} = ${equals}`;
      }),
      "Bounds",
      ...variables.map(({ name, low, high }) => ` ${bound(low)} <= ${name} <= ${bound(high)}`),
      "End",
    ].join("\n");
    const solution = highs.solve(text, { output_flag: false, qp_iteration_limit: 2000 });
    if (solution.Status === "Optimal") return solution.ObjectiveValue;
    if (solution.Status === "Infeasible") return "INFEASIBLE";
    if (solution.Status === "Iteration limit reached") return "GAVE_UP";
    throw new Error(`the solver says: ${solution.Status}`);
  };
}

function term(factor: number, name: string): string {
  return `${factor < 0 ? "-" : "+"} ${Math.abs(factor)} ${name}`;
}

function bound(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return "+inf";
  if (value === Number.NEGATIVE_INFINITY) return "-inf";
  return String(value);
}
