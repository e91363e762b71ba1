import type { Era } from "../model/resource.ts";
import type { ClearingResult, ClearingRules, Participant } from "./clearing-types.ts";

/** A transformer, a feeder or a substation: everything below it flows through it. Radial: one parent each. */
export interface GridNode {
  readonly era: Era;
  /** The node above; absent for the root. */
  readonly parent?: Era;
  /** Most that may flow down into the subtree (import), kW, ≥ 0; absent: no bound. */
  readonly maxForwardFlowKW?: number;
  /** Most that may flow up out of the subtree (export), kW, ≥ 0; absent: no bound. */
  readonly maxReverseFlowKW?: number;
  /** Power at this node that takes no part in the market, kW, export positive (a load is negative); 0 unless given. */
  readonly uncontrolledKW?: number;
  /** What the grid operator wants to be moved here whatever the price, kW injected, export positive. */
  readonly offsetKW?: number;
  readonly adder?: LoadAdder;
}

/**
 * A price on the load of a node: `congestionMultiplier × priceAdderPerPercent × load percent`, where the load is the import
 * into the subtree as a share of `ratingKW`. The seed's `formula` is text for people and never evaluated.
 */
export interface LoadAdder {
  /** Currency per kWh for each percent of load, ≥ 0. */
  readonly priceAdderPerPercent: number;
  /** ≥ 0; 1 unless given. */
  readonly congestionMultiplier?: number;
  /** kW that are 100 percent, > 0. */
  readonly ratingKW: number;
}

export interface GridParticipant extends Participant {
  /** The node that it hangs on; absent: the root. */
  readonly node?: Era;
}

/** What came of one node. */
export interface ClearedNode {
  readonly era: Era;
  /** Currency per kWh at this node; absent if nothing trades below it. */
  readonly pricePerKWh?: number;
  /** Price here less the price of the parent; 0 at the root. */
  readonly adderPerKWh: number;
  /** Net power out of the subtree, kW, export positive; −flow is the import. */
  readonly flowKW: number;
  /** `(price here − price of the parent) × import`, currency per hour; ≥ 0 for a constraint, and the grid operator's. */
  readonly congestionRentPerHour: number;
  /** Which bound holds the flow, if one does. */
  readonly boundBy?: "FORWARD" | "REVERSE";
  /** Part of `offsetKW` that nobody below or around could take up, kW, with its sign; absent where all was. */
  readonly unservedOffsetKW?: number;
}

export interface GridClearingResult extends ClearingResult {
  readonly nodes: readonly ClearedNode[];
}

/** Clears a radial grid; see `clear-grid.ts`. */
export type ClearGrid = (
  nodes: readonly GridNode[],
  participants: readonly GridParticipant[],
  rules: ClearingRules,
) => GridClearingResult;
