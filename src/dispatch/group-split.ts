import { disaggregate, type GroupResource, type GroupShares } from "../clearing/disaggregate.ts";
import type { BidCurve } from "../model/bid-curve.ts";
import { clampByLimits, type Limit } from "../model/limit.ts";
import type { Availability } from "../model/reading.ts";
import type { Capability, Era } from "../model/resource.ts";

/** What is known of one member of a group; each part only where it is. */
export interface GroupMember {
  readonly era: Era;
  /** Absent until the device has said what it can do: nothing is asked of it then. */
  readonly capability?: Capability;
  readonly availability?: Pick<Availability, "minPowerKW" | "maxPowerKW">;
  /** Bounds that others set: the operator, a grid node. */
  readonly limits?: readonly Limit[];
  /** Power that was measured lately, kW, export positive. */
  readonly measuredKW?: number;
  /** What it has bid last. */
  readonly curve?: BidCurve;
}

/**
 * Splits a group's power over its members, within what each can do now: its bounds, its ramp, and its least power (a car
 * takes 6 A or nothing). Where every member has bid, the price at which their curves give the power decides, so that it
 * goes to whom it is worth the most; else all do the same share of what they can. What nobody can carry is left out.
 *
 * A setpoint is split once, so a member counts with what it can reach by the setpoint's end.
 * @param leadMs time until the setpoint ends, ms, ≥ 0
 */
export function splitOverMembers(powerKW: number, members: readonly GroupMember[], leadMs: number): GroupShares {
  const [first] = members;
  const isComparable = members.every(({ curve }) => curve?.currency === first?.curve?.currency);
  const resources = members.map((member) => resourceOf(member, isComparable));
  return disaggregate(powerKW, resources, { rationing: "PRO_RATA", rampWindowMs: Math.max(0, leadMs) });
}

function resourceOf(member: GroupMember, withCurve: boolean): GroupResource {
  const { era, capability, availability, limits = [], measuredKW, curve } = member;
  const room = capability === undefined ? undefined : (availability ?? capability);
  const clamp = (powerKW: number) => clampByLimits(powerKW, limits).powerKW;
  const { minRunKW, rampRateKWPerMin: ramp } = capability ?? {};
  return {
    era,
    bounds: {
      minPowerKW: clamp(room?.minPowerKW ?? 0),
      maxPowerKW: clamp(room?.maxPowerKW ?? 0),
      // A device that says its ramp is 0 means that it has none.
      ...(ramp !== undefined &&
        ramp > 0 &&
        measuredKW !== undefined && { rampRateKWPerMin: ramp, presentPowerKW: measuredKW }),
    },
    ...(minRunKW !== undefined && { minRunKW }),
    ...(withCurve && curve !== undefined && { curve }),
  };
}
