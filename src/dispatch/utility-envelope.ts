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
  /** What it would be told if nothing bound it; absent if it is left to itself. */
  readonly wantedKW?: number;
  /** True where somebody ordered that power: it goes before what a device only does by itself. */
  readonly isOrdered: boolean;
  /** Storage: left to itself its own controller moves it by what the site does, so that its meter says what it is up to. */
  readonly regulatesItself: boolean;
  /** False for a device that cannot be reached, or whose meter shows that it does not do what it is told. */
  readonly follows: boolean;
}

/** The two directions of a power, as magnitudes. */
type Direction = "consumption" | "generation";

/** What each device may do at once, kW magnitudes; the sums are within the envelope. */
export type EnvelopeShares = ReadonlyMap<Era, Readonly<Record<Direction, number>>>;

/**
 * Shares for all devices together. A device that does not follow keeps what it takes, and the others make room for it. Of
 * the rest those that were ordered something come first; where it is not enough for all of them, each gets the same part of
 * what it wants.
 */
export function envelopeShares(
  envelope: PowerEnvelope,
  reserveKW: number,
  members: readonly EnvelopeMember[],
): EnvelopeShares {
  const shares = { consumption: new Map<Era, number>(), generation: new Map<Era, number>() };
  for (const direction of ["consumption", "generation"] as const) {
    let leftKW = totalKW(envelope, direction, reserveKW, members);
    const tiers: readonly [readonly EnvelopeMember[], (member: EnvelopeMember, of: Direction) => number][] = [
      [members.filter(({ follows }) => !follows), presentKW],
      [members.filter(({ follows, isOrdered }) => follows && isOrdered), wishKW],
      [members.filter(({ follows, isOrdered }) => follows && !isOrdered), wishKW],
    ];
    for (const [tier, powerKW] of tiers) {
      const sumKW = tier.reduce((sum, one) => sum + powerKW(one, direction), 0);
      // Rounding may have left less than nothing, of which nobody's nothing is no part.
      const part = sumKW === 0 || sumKW <= leftKW ? 1 : Math.max(0, leftKW) / sumKW;
      for (const one of tier) shares[direction].set(one.era, powerKW(one, direction) * part);
      leftKW -= sumKW * part;
    }
  }
  return new Map(
    members.map(({ era }) => [
      era,
      { consumption: shares.consumption.get(era) ?? 0, generation: shares.generation.get(era) ?? 0 },
    ]),
  );
}

/**
 * What the envelope leaves for one device. A reduction goes to its share at once, so that all give way together and none
 * falls to nothing for a moment; it grows only into what the others neither have, by their meters and their orders, nor are
 * to get. So no order makes the sum of what is told and of what is measured grow past the envelope.
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
    const shareOf = (one: EnvelopeMember) => shares.get(one.era)?.[direction] ?? 0;
    const takenKW = others.reduce((sum, one) => sum + Math.max(presentKW(one, direction), shareOf(one)), 0);
    // What it was told before, and not what it still does: to grow back would be growth.
    const heldKW = own?.targetKW === undefined ? own && presentKW(own, direction) : magnitude(own.targetKW, direction);
    const keptKW = own === undefined ? 0 : Math.min(shareOf(own), heldKW ?? 0);
    return Math.max(0, roomKW - takenKW, keptKW);
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
  const { measuredKW, targetKW, regulatesItself } = member;
  // A meter that fell silent is not a meter that reads zero.
  if (measuredKW === undefined) return mostKW(member, direction);
  const doesKW = magnitude(measuredKW, direction);
  if (targetKW !== undefined) return Math.max(doesKW, magnitude(targetKW, direction));
  return regulatesItself ? doesKW : Math.max(mostKW(member, direction), doesKW);
}

/** What a device would do if nothing bound it, kW magnitude. */
function wishKW(member: EnvelopeMember, direction: Direction): number {
  const { wantedKW } = member;
  if (wantedKW === undefined) return presentKW(member, direction);
  return Math.min(magnitude(wantedKW, direction), mostKW(member, direction));
}

/** What a device does in one direction as far as one can count on it, kW magnitude: it gives the others room in the other. */
function certainKW(member: EnvelopeMember, direction: Direction): number {
  const { measuredKW, targetKW, regulatesItself } = member;
  if (measuredKW === undefined) return 0;
  const doesKW = magnitude(measuredKW, direction);
  if (targetKW !== undefined) return Math.min(doesKW, magnitude(targetKW, direction));
  // Left to itself, one that can do both and does not regulate may turn round at any moment.
  const canTurn = mostKW(member, direction === "consumption" ? "generation" : "consumption") > 0;
  return canTurn && !regulatesItself ? 0 : doesKW;
}
