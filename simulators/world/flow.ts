import type { Clock } from "../../src/clock.ts";

/** What flows at one point of the grid now. */
export interface Flow {
  /** Export positive. */
  readonly powerKW: number;
  /** Line to neutral, mean of the phases. */
  readonly voltageV: number;
  readonly frequencyHz: number;
  /** Lifetime registers, only ever rising. */
  readonly exportKWh: number;
  readonly importKWh: number;
}

const NOMINAL_VOLTAGE_V = 230;

/** The grid at a point where so much flows: feeding in lifts the voltage at the end of the line, drawing lowers it. */
export function gridNow(clock: Clock, powerKW: number): Pick<Flow, "voltageV" | "frequencyHz"> {
  return {
    voltageV: NOMINAL_VOLTAGE_V + 0.4 * powerKW,
    frequencyHz: 50 + 0.02 * Math.sin(clock.elapsedMs() / 17_000),
  };
}
