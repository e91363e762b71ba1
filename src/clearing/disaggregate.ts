import { type BidCurve, type BidPoint, clipCurve, curveFault } from "../model/bid-curve.ts";
import type { Era } from "../model/resource.ts";
import { clear } from "./clear.ts";
import { type BidBounds, BidError, type ClearedSetpoint, type Rationing } from "./clearing-types.ts";
import { powerBand, stepsAsJumps } from "./prepared-bid.ts";

/** One resource of a group. */
export interface GroupResource {
  readonly era: Era;
  /** Both powers are needed where there is no curve. */
  readonly bounds?: BidBounds;
  /** Least magnitude at which it can run, kW, > 0: it holds 0 or at least this (a car needs 6 A). */
  readonly minRunKW?: number;
  /** What it would rather do. Counts only if every resource of the group has one. */
  readonly curve?: BidCurve;
  /** Lower goes first: where `PRIORITY` rations, and for who runs where not all can; 0 unless given. */
  readonly priority?: number;
}

export interface GroupRules {
  readonly rationing: Rationing;
  /** Time over which a ramp counts, ms. */
  readonly rampWindowMs?: number;
}

export interface GroupShares {
  /** In the order of the resources. */
  readonly setpoints: readonly ClearedSetpoint[];
  /** setpoint − Σ, kW: what they can't carry; 0 if they carry all. */
  readonly unmetKW: number;
}

/**
 * Splits a group's setpoint over its resources, by the same clearing as a market: the price at which all curves together
 * give the setpoint decides. Without curves everybody does the same share of what it can do in that direction. A curve is
 * what a resource prefers; its bounds and its ramp are what it can do, and beyond the ends of all curves they hold.
 *
 * The shares add up to the setpoint exactly if bounds and ramps allow it. What can't run below some power gets 0 or at
 * least that: first all is shared out; of those that would get too little, as many run as they together were given, in
 * order of priority, then those that run already, then the larger share, then the ERA; the others get 0, and all is shared
 * out anew. If then something is left, resources that are off are tried one after the other. The sum does not go beyond
 * the setpoint for the sake of a resource that could be off. Same input in any order, same output.
 *
 * @param powerKW the group's setpoint, kW, export positive
 * @throws BidError that names a resource whose bounds or curve can't be used, or that is there twice
 */
export function disaggregate(powerKW: number, resources: readonly GroupResource[], rules: GroupRules): GroupShares {
  if (!Number.isFinite(powerKW)) throw new RangeError(`powerKW must be a finite number, got ${powerKW}`);
  const curves = resources.map(({ curve }) => curve).filter((curve) => curve !== undefined);
  const byCurve = curves.length === resources.length;
  const group: Group = {
    powerKW,
    rationing: rules.rationing,
    currency: (byCurve ? curves[0]?.currency : undefined) ?? NO_CURRENCY,
    members: resources.map((resource, index) => memberOf(resource, index, byCurve, rules.rampWindowMs)),
  };
  let choice: Choice = group.members.map(() => "OPEN");
  let shares = share(group, choice);
  // Each turn decides at least one resource, so that there are no more turns than resources.
  for (let turn = 0; turn < resources.length; turn++) {
    const short = group.members.filter((member) => runsTooLow(member, choice, shares));
    if (short.length === 0) break;
    choice = decided(short, choice, shares);
    shares = share(group, choice);
  }
  [choice, shares] = heldBack(group, settled(group, choice, shares), shares);
  shares = withMoreRunning(group, choice, shares);
  return {
    setpoints: resources.map(({ era }, index) => ({ era, powerKW: shares.powersKW[index] ?? 0 })),
    unmetKW: shares.unmetKW,
  };
}

/** No price is compared between currencies where there are no prices. */
const NO_CURRENCY = "XXX";
/** Rounding of powers, kW. */
const ROUNDING_KW = 1e-9;

/** A resource with all its bounds in one. */
interface Member {
  readonly index: number;
  readonly era: Era;
  readonly floorKW: number;
  readonly ceilingKW: number;
  /** 0 for one that can run at any power, or can't be off. */
  readonly minRunKW: number;
  readonly priority: number;
  readonly isRunning: boolean;
  /** Within the bounds, linear between points. */
  readonly points: readonly BidPoint[];
}

interface Group {
  readonly powerKW: number;
  readonly rationing: Rationing;
  readonly currency: string;
  readonly members: readonly Member[];
}

/** By index: not decided, off, or running as a load or as a generator. */
type Choice = readonly ("OPEN" | "OFF" | "LOAD" | "GENERATOR")[];

interface Shares {
  readonly powersKW: readonly number[];
  readonly unmetKW: number;
}

function memberOf(resource: GroupResource, index: number, byCurve: boolean, rampWindowMs?: number): Member {
  const { era, bounds = {}, minRunKW = 0, priority = 0 } = resource;
  const curve = byCurve ? resource.curve : undefined;
  if (!(minRunKW >= 0 && Number.isFinite(minRunKW))) {
    throw new BidError(era, `minRunKW must be a finite number, not negative, got ${minRunKW}`);
  }
  if (curve !== undefined) {
    const fault = curveFault(curve.points);
    if (fault !== undefined) throw new BidError(era, `point ${fault.index}: ${fault.fault}`);
  }
  const [lowKW, highKW] = powerBand(era, bounds, rampWindowMs);
  const straight = curve?.shape === "STEP" ? stepsAsJumps(curve) : curve;
  // Without a bound the curve itself says how far it goes.
  let floorKW = Number.isFinite(lowKW) ? lowKW : Math.min(straight?.points[0]?.powerKW ?? Number.NaN, highKW);
  let ceilingKW = Number.isFinite(highKW) ? highKW : Math.max(straight?.points.at(-1)?.powerKW ?? Number.NaN, lowKW);
  if (Number.isNaN(floorKW) || Number.isNaN(ceilingKW)) {
    throw new BidError(era, "without a curve, minPowerKW and maxPowerKW are needed");
  }
  // What can't be off runs, as far as its bounds let it.
  if (floorKW > 0) floorKW = Math.min(Math.max(floorKW, minRunKW), ceilingKW);
  if (ceilingKW < 0) ceilingKW = Math.max(Math.min(ceilingKW, -minRunKW), floorKW);
  const canBeOff = floorKW <= 0 && ceilingKW >= 0;
  if (canBeOff) {
    // A direction in which it can't run at all is none.
    if (-floorKW < minRunKW) floorKW = 0;
    if (ceilingKW < minRunKW) ceilingKW = 0;
  }
  const idleKW = Math.min(Math.max(0, floorKW), ceilingKW);
  const points = straight ?? { shape: "LINEAR", currency: NO_CURRENCY, points: [{ pricePerKWh: 0, powerKW: idleKW }] };
  return {
    index,
    era,
    floorKW,
    ceilingKW,
    minRunKW: canBeOff ? minRunKW : 0,
    priority,
    isRunning: (bounds.presentPowerKW ?? 0) !== 0,
    points: clipCurve(points, floorKW, ceilingKW).points,
  };
}

/** Shares the setpoint out as if the resources that are not decided could run at any power. */
function share({ powerKW, rationing, currency, members }: Group, choice: Choice): Shares {
  const prices = members.flatMap(({ points }) => [points[0]?.pricePerKWh ?? 0, points.at(-1)?.pricePerKWh ?? 0]);
  const underAll = Math.min(...prices) - 1;
  const overAll = Math.max(...prices) + 1;
  const participants = members.map((member) => {
    const [minPowerKW, maxPowerKW] = bandOf(member, choice);
    const points = [
      { pricePerKWh: underAll, powerKW: member.floorKW },
      { pricePerKWh: underAll, powerKW: member.points[0]?.powerKW ?? 0 },
      ...member.points,
      { pricePerKWh: overAll, powerKW: member.points.at(-1)?.powerKW ?? 0 },
      { pricePerKWh: overAll, powerKW: member.ceilingKW },
    ];
    const { era, priority } = member;
    return { era, priority, curve: { shape: "LINEAR" as const, currency, points }, bounds: { minPowerKW, maxPowerKW } };
  });
  const { setpoints, unmetKW } = clear(participants, { currency, targetKW: powerKW, rationing });
  return { powersKW: setpoints.map((setpoint) => setpoint.powerKW), unmetKW };
}

function bandOf({ index, floorKW, ceilingKW, minRunKW }: Member, choice: Choice): readonly [number, number] {
  switch (choice[index]) {
    case "OFF":
      return [0, 0];
    case "LOAD":
      return [floorKW, -minRunKW];
    case "GENERATOR":
      return [minRunKW, ceilingKW];
    default:
      return [floorKW, ceilingKW];
  }
}

function runsTooLow({ index, minRunKW }: Member, choice: Choice, { powersKW }: Shares): boolean {
  const magnitudeKW = Math.abs(powersKW[index] ?? 0);
  return choice[index] === "OPEN" && magnitudeKW > 0 && magnitudeKW < minRunKW - ROUNDING_KW;
}

/** Of those that would run too low, lets as many run as all of them were given power for. */
function decided(short: readonly Member[], choice: Choice, shares: Shares): Choice {
  const powerOf = ({ index }: Member) => shares.powersKW[index] ?? 0;
  const next = [...choice];
  for (const direction of ["LOAD", "GENERATOR"] as const) {
    const same = short.filter((member) => powerOf(member) < 0 === (direction === "LOAD"));
    let givenKW = same.reduce((sum, member) => sum + Math.abs(powerOf(member)), ROUNDING_KW);
    for (const member of same.toSorted((a, b) => byTurn(a, b))) {
      const runs = member.minRunKW <= givenKW;
      next[member.index] = runs ? direction : "OFF";
      if (runs) givenKW -= member.minRunKW;
    }
  }
  return next;

  function byTurn(a: Member, b: Member): number {
    if (a.priority !== b.priority) return a.priority - b.priority;
    if (a.isRunning !== b.isRunning) return a.isRunning ? -1 : 1;
    const [ofA, ofB] = [Math.abs(powerOf(a)), Math.abs(powerOf(b))];
    if (ofA !== ofB) return ofB - ofA;
    return a.era < b.era ? -1 : 1;
  }
}

/** Decides everybody by what it was given, so that from here on nobody is moved to where it can't run. */
function settled({ members }: Group, choice: Choice, { powersKW }: Shares): Choice {
  return members.map(({ index, minRunKW }) => {
    const one = choice[index] ?? "OPEN";
    const powerKW = powersKW[index] ?? 0;
    if (one !== "OPEN" || minRunKW === 0) return one;
    return powerKW === 0 ? "OFF" : powerKW < 0 ? "LOAD" : "GENERATOR";
  });
}

/**
 * What stood against a load may be a generator that turned out to be off, or the other way round: then the sum is beyond
 * the setpoint, and the last ones that were let run in that direction are switched off again.
 */
function heldBack(group: Group, choice: Choice, shares: Shares): [Choice, Shares] {
  let [heldChoice, heldShares] = [choice, shares];
  while (goesBeyond(group, heldShares)) {
    const direction = heldShares.unmetKW > 0 ? "LOAD" : "GENERATOR";
    const running = group.members.filter(({ index }) => heldChoice[index] === direction);
    const last = running.toSorted((a, b) => b.priority - a.priority || (a.era < b.era ? 1 : -1))[0];
    if (last === undefined) break;
    heldChoice = heldChoice.with(last.index, "OFF");
    heldShares = share(group, heldChoice);
  }
  return [heldChoice, heldShares];
}

function goesBeyond({ powerKW }: Group, { unmetKW }: Shares): boolean {
  return Math.abs(unmetKW) > ROUNDING_KW && Math.sign(unmetKW) !== Math.sign(powerKW);
}

/** While something is left, tries those that are off, one after the other, with the others making room. */
function withMoreRunning(group: Group, choice: Choice, shares: Shares): Shares {
  const { members, powerKW } = group;
  const direction = powerKW < 0 ? "LOAD" : "GENERATOR";
  let best = shares;
  let bestChoice = choice;
  const off = members.filter(({ index }) => bestChoice[index] === "OFF");
  for (const member of off.toSorted((a, b) => a.priority - b.priority || (a.era < b.era ? -1 : 1))) {
    const isLeft = Math.abs(best.unmetKW) > ROUNDING_KW && best.unmetKW < 0 === powerKW < 0;
    const reachKW = direction === "LOAD" ? -member.floorKW : member.ceilingKW;
    if (!isLeft || reachKW < member.minRunKW || reachKW === 0) continue;
    const tried = bestChoice.with(member.index, direction);
    const found = share(group, tried);
    if (goesBeyond(group, found) || Math.abs(found.unmetKW) >= Math.abs(best.unmetKW)) continue;
    best = found;
    bestChoice = tried;
  }
  return best;
}
