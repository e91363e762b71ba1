import type { Limit } from "../model/limit.ts";
import type { Capability, Era } from "../model/resource.ts";
import type { PowerEnvelope } from "../model/utility.ts";

/** One device in the sum that a utility bounds. Powers in kW, export positive. */
export interface EnvelopeMember {
  readonly era: Era;
  /** Absent until the device has connected: it counts for nothing. */
  readonly capability?: Pick<Capability, "minPowerKW" | "maxPowerKW">;
  /** Absent if nothing was measured lately: it counts with the most that it could do. */
  readonly measuredKW?: number;
  /** What it was told to hold; absent if nothing was. */
  readonly targetKW?: number;
  /** False for a device that cannot be reached, or whose meter shows that it does not do what it is told. */
  readonly follows: boolean;
}

/** The two directions of a power, as magnitudes. */
type Direction = "consumption" | "generation";

/** What each device may do at once, kW magnitudes; the sums are within the envelope. */
export type EnvelopeShares = ReadonlyMap<Era, Readonly<Record<Direction, number>>>;

/**
 * Shares for all devices together: what each was told, or may do where it was told nothing, made less by one factor where
 * the sum is too much. A device that does not follow keeps what it takes, and the others make room for it.
 */
export function envelopeShares(
  envelope: PowerEnvelope,
  reserveKW: number,
  members: readonly EnvelopeMember[],
): EnvelopeShares {
  const factor = (direction: Direction) => {
    const roomKW = totalKW(envelope, direction, reserveKW, members);
    const sumKW = (some: readonly EnvelopeMember[], powerKW: typeof toldKW) =>
      some.reduce((sum, one) => sum + powerKW(one, direction), 0);
    const movable = members.filter(({ follows }) => follows);
    const stubborn = members.filter(({ follows }) => !follows);
    const leftKW = Math.max(0, roomKW - sumKW(stubborn, presentKW));
    const movableKW = sumKW(movable, toldKW);
    return movableKW <= leftKW ? 1 : leftKW / movableKW;
  };
  const factors = { consumption: factor("consumption"), generation: factor("generation") };
  return new Map(
    members.map((one) => [
      one.era,
      {
        consumption: toldKW(one, "consumption") * factors.consumption,
        generation: toldKW(one, "generation") * factors.generation,
      },
    ]),
  );
}

/**
 * What the envelope leaves for one device. A reduction goes to its share at once, so that all give way together and none
 * falls to nothing for a moment; more than that it gets only as far as the others leave room by their meters and their
 * orders. So the sum of what was told and of what is measured never grows past the envelope by an order.
 */
export function envelopeLimit(
  envelope: PowerEnvelope,
  reserveKW: number,
  era: Era,
  members: readonly EnvelopeMember[],
  shares: EnvelopeShares,
): Limit | undefined {
  const others = members.filter((one) => one.era !== era);
  const own = members.find((one) => one.era === era);
  const allowed = (direction: Direction) => {
    const roomKW = totalKW(envelope, direction, reserveKW, others);
    if (roomKW === Number.POSITIVE_INFINITY) return undefined;
    const leftKW = roomKW - others.reduce((sum, one) => sum + presentKW(one, direction), 0);
    const shareKW = Math.min(shares.get(era)?.[direction] ?? 0, own === undefined ? 0 : presentKW(own, direction));
    return Math.max(0, leftKW, shareKW);
  };
  const [consumptionKW, generationKW] = [allowed("consumption"), allowed("generation")];
  if (consumptionKW === undefined && generationKW === undefined) return undefined;
  return {
    source: "utility-server",
    // No negative zero: it would show as "-0 kW".
    ...(consumptionKW !== undefined && { minPowerKW: 0 - consumptionKW }),
    ...(generationKW !== undefined && { maxPowerKW: generationKW }),
  };
}

/** The bounds of a device that the utility named itself: nobody shares them. */
export function deviceLimit({ importKW, exportKW, loadKW, generationKW }: PowerEnvelope): Limit | undefined {
  const least = (...bounds: readonly (number | undefined)[]) =>
    Math.min(...bounds.map((bound) => bound ?? Number.POSITIVE_INFINITY));
  const [consumptionKW, givenKW] = [least(importKW, loadKW), least(exportKW, generationKW)];
  if (!Number.isFinite(consumptionKW) && !Number.isFinite(givenKW)) return undefined;
  return {
    source: "utility-server",
    ...(Number.isFinite(consumptionKW) && { minPowerKW: 0 - consumptionKW }),
    ...(Number.isFinite(givenKW) && { maxPowerKW: givenKW }),
  };
}

/** What all devices may do together in one direction, kW; infinite where nothing bounds it. */
function totalKW(
  { importKW, exportKW, loadKW, generationKW }: PowerEnvelope,
  direction: Direction,
  reserveKW: number,
  members: readonly EnvelopeMember[],
): number {
  const isConsumption = direction === "consumption";
  const netKW = isConsumption ? importKW : exportKW;
  const grossKW = (isConsumption ? loadKW : generationKW) ?? Number.POSITIVE_INFINITY;
  const creditKW = members.reduce((sum, one) => sum + certainKW(one, isConsumption ? "generation" : "consumption"), 0);
  const totalKW = Math.min(netKW === undefined ? Number.POSITIVE_INFINITY : netKW + creditKW, grossKW);
  // What nobody here meters only takes in.
  return isConsumption ? totalKW - reserveKW : totalKW;
}

function magnitude(powerKW: number, direction: Direction): number {
  return Math.max(0, direction === "consumption" ? -powerKW : powerKW);
}

/** The most that a device can do in one direction, kW magnitude. */
function mostKW({ capability }: EnvelopeMember, direction: Direction): number {
  if (capability === undefined) return 0;
  return magnitude(direction === "consumption" ? capability.minPowerKW : capability.maxPowerKW, direction);
}

/** Where a device is now or may be soon, kW magnitude: nothing holds one back that was told nothing. */
function presentKW(member: EnvelopeMember, direction: Direction): number {
  const { measuredKW, targetKW } = member;
  // A meter that fell silent is not a meter that reads zero.
  if (measuredKW === undefined || targetKW === undefined) {
    return Math.max(mostKW(member, direction), magnitude(measuredKW ?? 0, direction));
  }
  return Math.max(magnitude(measuredKW, direction), magnitude(targetKW, direction));
}

/** Where a device is on its way to, kW magnitude: what it was told counts also while its meter has not shown it yet. */
function toldKW(member: EnvelopeMember, direction: Direction): number {
  return member.targetKW === undefined ? presentKW(member, direction) : magnitude(member.targetKW, direction);
}

/** What a device does in one direction for certain, kW magnitude: it gives room to the others in the other one. */
function certainKW(member: EnvelopeMember, direction: Direction): number {
  const { measuredKW, targetKW } = member;
  if (measuredKW === undefined) return 0;
  const doesKW = magnitude(measuredKW, direction);
  if (targetKW !== undefined) return Math.min(doesKW, magnitude(targetKW, direction));
  // Left to itself, one that can do both may turn round at any moment.
  return mostKW(member, direction === "consumption" ? "generation" : "consumption") > 0 ? 0 : doesKW;
}
