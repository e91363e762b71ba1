import { type BidCurve, type BidPoint, clipCurve, curveFault } from "../model/bid-curve.ts";
import type { Era } from "../model/resource.ts";
import { type BidBounds, BidError, type ClearingRules, type Participant } from "./clearing-types.ts";
import { MAX_POWER_KW } from "./exact-sum.ts";

/** A bid as the kernel takes it. */
export interface PreparedBid {
  /** Linear between points, within its bounds, and level beyond the lowest and the highest price of the market. */
  readonly points: readonly BidPoint[];
  /** Least and most power that its bounds allow, kW; infinite where there is none. */
  readonly floorKW: number;
  readonly ceilingKW: number;
}

/** The name under which errors speak of the external exchange. */
export const EXTERNAL: Era = "external exchange";

const UNBOUNDED = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY] as const;
const MS_PER_MINUTE = 60_000;

/**
 * Makes a bid ready: steps become jumps, bounds and ramp cut it, prices outside the market's are cut off.
 * @throws BidError if it can't be cleared
 */
export function preparedBid(participant: Participant, rules: ClearingRules): PreparedBid {
  const { era, curve, bounds } = participant;
  checkCurve(era, curve, rules.currency);
  checkFinite(era, "priority", participant.priority);
  checkFinite(era, "submittedAtMs", participant.submittedAtMs);
  const [floorKW, ceilingKW] = bounds === undefined ? UNBOUNDED : powerBand(era, bounds, rules.rampWindowMs);
  const straight = curve.shape === "STEP" ? stepsAsJumps(curve) : curve;
  const within = bounds === undefined ? straight : clipCurve(straight, floorKW, ceilingKW);
  const points = withinPrices(within.points, rules.minPricePerKWh, rules.maxPricePerKWh);
  for (const { powerKW } of [points[0] as BidPoint, points.at(-1) as BidPoint]) {
    if (Math.abs(powerKW) > MAX_POWER_KW) {
      throw new BidError(era, `power ${powerKW} kW is more than ${MAX_POWER_KW} kW either way`);
    }
  }
  return { points, floorKW, ceilingKW };
}

/** The external exchange, made ready like a bid without bounds. */
export function preparedExternal(curve: BidCurve, rules: ClearingRules): PreparedBid {
  return preparedBid({ era: EXTERNAL, curve }, rules);
}

function checkCurve(era: Era, curve: BidCurve, currency: string): void {
  if (curve.currency !== currency) {
    throw new BidError(
      era,
      `the curve is in ${curve.currency} and the market in ${currency}; prices are never converted`,
    );
  }
  const found = curveFault(curve.points);
  if (found !== undefined) throw new BidError(era, `point ${found.index}: ${found.fault}`);
}

/**
 * Least and most power of bounds and ramp together, kW; infinite where there is no bound. Where they contradict, the ramp
 * holds: nobody is faster than that.
 * @throws BidError if a bound is no number or contradicts another
 */
export function powerBand(era: Era, bounds: BidBounds, rampWindowMs?: number): readonly [number, number] {
  const { minPowerKW = Number.NEGATIVE_INFINITY, maxPowerKW = Number.POSITIVE_INFINITY } = bounds;
  const { rampRateKWPerMin, presentPowerKW } = bounds;
  for (const [name, value] of Object.entries(bounds)) {
    // Infinite bounds are none; everything else has to be a number.
    const infinite = (name === "minPowerKW" || name === "maxPowerKW") && !Number.isNaN(value);
    if (!infinite) checkFinite(era, name, value);
  }
  if (minPowerKW > maxPowerKW) throw new BidError(era, `minPowerKW ${minPowerKW} is above maxPowerKW ${maxPowerKW}`);
  if (rampRateKWPerMin !== undefined && rampRateKWPerMin <= 0) {
    throw new BidError(era, `rampRateKWPerMin must be more than 0, got ${rampRateKWPerMin}`);
  }
  if (rampRateKWPerMin === undefined || presentPowerKW === undefined || rampWindowMs === undefined) {
    return [minPowerKW, maxPowerKW];
  }
  const reachKW = (rampRateKWPerMin * rampWindowMs) / MS_PER_MINUTE;
  const lowestKW = presentPowerKW - reachKW;
  const highestKW = presentPowerKW + reachKW;
  const reachable = (powerKW: number) => Math.min(Math.max(powerKW, lowestKW), highestKW);
  return [reachable(minPowerKW), reachable(maxPowerKW)];
}

function checkFinite(era: Era, name: string, value: number | undefined): void {
  if (value !== undefined && !Number.isFinite(value))
    throw new BidError(era, `${name} must be a finite number, got ${value}`);
}

/** The same curve with its steps written as two points at one price. */
export function stepsAsJumps(curve: BidCurve): BidCurve {
  const points: BidPoint[] = [];
  let levelKW = curve.points[0]?.powerKW ?? 0;
  for (const [index, { pricePerKWh, powerKW }] of curve.points.entries()) {
    points.push({ pricePerKWh, powerKW: levelKW });
    const after = curve.points[index + 1];
    // What consumes holds down to the point before; what generates holds up to the next one.
    levelKW = after === undefined || powerKW >= 0 ? powerKW : Math.min(after.powerKW, 0);
    if (levelKW !== points.at(-1)?.powerKW) points.push({ pricePerKWh, powerKW: levelKW });
  }
  return { ...curve, shape: "LINEAR", points };
}

/** Level below the lowest and above the highest price; a jump at exactly these prices stays. */
function withinPrices(points: readonly BidPoint[], lowest?: number, highest?: number): readonly BidPoint[] {
  let kept = points;
  if (lowest !== undefined && (kept[0] as BidPoint).pricePerKWh < lowest) {
    const first = kept.findIndex(({ pricePerKWh }) => pricePerKWh >= lowest);
    const before = (first === -1 ? kept.at(-1) : kept[first - 1]) as BidPoint;
    const rest = first === -1 ? [] : kept.slice(first);
    kept = [{ pricePerKWh: lowest, powerKW: powerBetween(before, rest[0], lowest) }, ...rest];
  }
  if (highest !== undefined && (kept.at(-1) as BidPoint).pricePerKWh > highest) {
    const last = kept.findLastIndex(({ pricePerKWh }) => pricePerKWh <= highest);
    const after = kept[last + 1] as BidPoint;
    const rest = kept.slice(0, last + 1);
    kept = [...rest, { pricePerKWh: highest, powerKW: powerBetween(rest.at(-1) ?? after, after, highest) }];
  }
  return kept;
}

function powerBetween(from: BidPoint, to: BidPoint | undefined, pricePerKWh: number): number {
  if (to === undefined || from === to || to.pricePerKWh === from.pricePerKWh) return from.powerKW;
  const share = (pricePerKWh - from.pricePerKWh) / (to.pricePerKWh - from.pricePerKWh);
  return from.powerKW + share * (to.powerKW - from.powerKW);
}
