import type { Era } from "./resource.ts";

/**
 * What became of a setpoint, judged by the meter.
 * - `effective`: the measured power reached the order and stayed there
 * - `partial`: it moved towards the order, or a limit allowed only part of it
 * - `ignored`: the device accepted the command and the power did not follow
 * - `reverted`: it followed, then went back by itself before the end
 * - `refused`: the device said no
 * - `unreachable`: the device could not be asked before the end
 * - `unverifiable`: accepted, but no usable reading came
 * - `superseded`: a newer setpoint came before the meter could tell
 * - `expired`: the end came before the command could take effect
 */
export const VERDICTS = [
  "effective",
  "partial",
  "ignored",
  "reverted",
  "refused",
  "unreachable",
  "unverifiable",
  "superseded",
  "expired",
] as const;

export type Verdict = (typeof VERDICTS)[number];

/** The verdict with the evidence for it. */
export interface Judgement {
  readonly setpointId: string;
  readonly era: Era;
  readonly verdict: Verdict;
  /** For a person: what was ordered, what was measured, which limit bound. */
  readonly reason: string;
  /** kW that the market ordered. */
  readonly orderedKW: number;
  /** kW that the device accepted after limits and rounding; absent if nothing was accepted. */
  readonly appliedKW?: number;
  /** Mean measured kW over the judged samples; absent if there were none. */
  readonly measuredKW?: number;
  /** Number of samples the verdict rests on. */
  readonly samples: number;
  readonly atMs: number;
  /** True when nothing can change it any more. */
  readonly final: boolean;
}
