import type { Era } from "../model/resource.ts";

/** One resource of those that are to consume less together. Powers in kW, export positive. */
export interface ReducingResource {
  readonly era: Era;
  /** What it would do without the event. */
  readonly baselineKW: number;
  /** The most that it can be brought to: 0 for a load that can be switched off, above 0 for one that can also give. */
  readonly highestKW: number;
}

/** What a reduction asks of one resource. */
export interface ReducedSetpoint {
  readonly era: Era;
  /** kW, export positive: the baseline plus its share. */
  readonly powerKW: number;
  /** Its share of the reduction, kW, ≥ 0. */
  readonly reductionKW: number;
}

export interface ReductionSplit {
  /** In the order of the resources. */
  readonly setpoints: readonly ReducedSetpoint[];
  /** What all together can't reduce, kW, ≥ 0. */
  readonly shortfallKW: number;
}

/**
 * A cleared reduction as setpoints: each resource gives in proportion to what it has to give, `highestKW − baselineKW`.
 * To reduce is to consume less, so every setpoint is at or above its baseline.
 * @param reductionKW against the baseline, kW, ≥ 0: a magnitude. A negative one would be an order to consume more, which a
 * reduction never is
 * @throws RangeError for a negative reduction, or numbers that are none
 */
export function reductionSetpoints(reductionKW: number, resources: readonly ReducingResource[]): ReductionSplit {
  if (!(reductionKW >= 0 && Number.isFinite(reductionKW))) {
    throw new RangeError(`a reduction is a magnitude of kW, 0 or more, got ${reductionKW}`);
  }
  const roomsKW = resources.map(({ era, baselineKW, highestKW }) => {
    if (!Number.isFinite(baselineKW) || !Number.isFinite(highestKW))
      throw new RangeError(`${era}: powers must be finite`);
    return Math.max(0, highestKW - baselineKW);
  });
  const roomKW = roomsKW.reduce((sum, room) => sum + room, 0);
  const givenKW = Math.min(reductionKW, roomKW);
  let leftKW = givenKW;
  let roomLeftKW = roomKW;
  const setpoints = resources.map(({ era, baselineKW }, index): ReducedSetpoint => {
    const room = roomsKW[index] ?? 0;
    // Of what is left in proportion to the room that is left, so that the last one takes what rounding left over.
    const share = roomLeftKW > 0 ? Math.min(room, room === roomLeftKW ? leftKW : (leftKW * room) / roomLeftKW) : 0;
    leftKW -= share;
    roomLeftKW -= room;
    return { era, powerKW: baselineKW + share, reductionKW: share };
  });
  return { setpoints, shortfallKW: reductionKW - givenKW };
}
