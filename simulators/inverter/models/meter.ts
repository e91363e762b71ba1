import type { Flow } from "../../world/flow.ts";
import type { Model, PointValues } from "../model.ts";
import { scaleThatFits } from "../operating-state.ts";
import { type PointRow, rowsFrom } from "../point.ts";

export type MeterId = 201 | 202 | 203 | 204 | 211 | 212 | 213 | 214;

/** Wires of the last digit of the model: one phase, split phase, star, delta. */
const SINGLE = 1;
const SPLIT = 2;
const DELTA = 4;

const each = (name: string, phase: string) => [name, ...["A", "B", "C"].map((letter) => `${name}${phase}${letter}`)];
const REACTIVE = ["TotVArhImpQ1", "TotVArhImpQ2", "TotVArhExpQ3", "TotVArhExpQ4"];

/** @param between how the voltage between two phases is spelled, which model 201 does in its own way */
const integerRows = (between: "PhVph" | "PPVph"): readonly PointRow[] => [
  ...rowsFrom(2, "int16", each("A", "ph"), "A_SF"),
  ["A_SF", 6, "sunssf"],
  ...rowsFrom(7, "int16", each("PhV", "ph"), "V_SF"),
  ...rowsFrom(11, "int16", ["PPV", `${between}AB`, `${between}BC`, `${between}CA`], "V_SF"),
  ["V_SF", 15, "sunssf"],
  ["Hz", 16, "int16", "Hz_SF"],
  ["Hz_SF", 17, "sunssf"],
  ...rowsFrom(18, "int16", each("W", "ph"), "W_SF"),
  ["W_SF", 22, "sunssf"],
  ...rowsFrom(23, "int16", each("VA", "ph"), "VA_SF"),
  ["VA_SF", 27, "sunssf"],
  ...rowsFrom(28, "int16", each("VAR", "ph"), "VAR_SF"),
  ["VAR_SF", 32, "sunssf"],
  ...rowsFrom(33, "int16", each("PF", "ph"), "PF_SF"),
  ["PF_SF", 37, "sunssf"],
  ...rowsFrom(38, "acc32", [...each("TotWhExp", "Ph"), ...each("TotWhImp", "Ph")], "TotWh_SF"),
  ["TotWh_SF", 54, "sunssf"],
  ...rowsFrom(55, "acc32", [...each("TotVAhExp", "Ph"), ...each("TotVAhImp", "Ph")], "TotVAh_SF"),
  ["TotVAh_SF", 71, "sunssf"],
  ...rowsFrom(
    72,
    "acc32",
    REACTIVE.flatMap((name) => each(name, "Ph")),
    "TotVArh_SF",
  ),
  ["TotVArh_SF", 104, "sunssf"],
  ["Evt", 105, "bitfield32"],
];

const FLOAT_ROWS: readonly PointRow[] = [
  ...rowsFrom(2, "float32", [
    ...each("A", "ph"),
    ...each("PhV", "ph"),
    ...["PPV", "PPVphAB", "PPVphBC", "PPVphCA"],
    "Hz",
    ...each("W", "ph"),
    ...each("VA", "ph"),
    ...each("VAR", "ph"),
    ...each("PF", "ph"),
    ...each("TotWhExp", "Ph"),
    ...each("TotWhImp", "Ph"),
    ...each("TotVAhExp", "Ph"),
    ...each("TotVAhImp", "Ph"),
    ...REACTIVE.flatMap((name) => each(name, "ph")),
  ]),
  ["Evt", 124, "bitfield32"],
];

const LARGEST_W = 100_000;

/**
 * A meter: 201 to 204 with whole numbers, 211 to 214 with floating-point ones.
 * @param sign 1 where positive power is drawn from the grid, as most meters count; −1 where it is fed in
 */
export function meterModel(id: MeterId, flow: () => Flow, sign: 1 | -1): Model {
  const isFloat = id > 210;
  const wiring = id % 10;
  return {
    id,
    rows: isFloat ? FLOAT_ROWS : integerRows(id === 201 ? "PPVph" : "PhVph"),
    scales: isFloat
      ? {}
      : {
          A_SF: -1,
          V_SF: -1,
          Hz_SF: -2,
          W_SF: scaleThatFits(LARGEST_W, 32_767, 0),
          VA_SF: scaleThatFits(LARGEST_W, 32_767, 0),
          VAR_SF: 0,
          PF_SF: -3,
          TotWh_SF: 0,
        },
    values: () => measured(flow(), wiring, sign),
  };
}

function measured(now: Flow, wiring: number, sign: 1 | -1): PointValues {
  const phases = wiring === SINGLE ? ["A"] : wiring === SPLIT ? ["A", "B"] : ["A", "B", "C"];
  const powerW = -sign * now.powerKW * 1000;
  const currentA = powerW / phases.length / now.voltageV;
  const lineVoltageV = now.voltageV * (wiring === SPLIT ? 2 : Math.sqrt(3));
  const pairs = wiring === SINGLE ? [] : wiring === SPLIT ? ["AB"] : ["AB", "BC", "CA"];
  const perPhase = phases.flatMap((phase) => [
    [`Aph${phase}`, currentA],
    // A delta has no neutral to measure against.
    ...(wiring === DELTA
      ? []
      : [
          [`PhVph${phase}`, now.voltageV],
          [`Wph${phase}`, powerW / phases.length],
        ]),
  ]);
  return {
    ...Object.fromEntries(perPhase),
    ...Object.fromEntries(
      pairs.flatMap((pair) => [
        [`PhVph${pair}`, lineVoltageV],
        [`PPVph${pair}`, lineVoltageV],
      ]),
    ),
    A: currentA * phases.length,
    ...(wiring === DELTA ? {} : { PhV: now.voltageV }),
    ...(wiring === SINGLE ? {} : { PPV: lineVoltageV }),
    Hz: now.frequencyHz,
    W: powerW,
    VA: Math.abs(powerW),
    VAR: 0,
    PF: 1,
    TotWhExp: now.exportKWh * 1000,
    TotWhImp: now.importKWh * 1000,
    Evt: 0,
  };
}
