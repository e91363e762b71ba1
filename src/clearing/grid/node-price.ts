import type { ClearingRules } from "../clearing-types.ts";
import {
  firstWithPower,
  highestKW,
  isMarketPrice,
  lowestKW,
  OFFSET_LEVEL,
  type PriceEnds,
  type PriceGraph,
  RATIONING_LEVEL,
  roundingKW,
} from "./price-graph.ts";

/** Prices nearer to each other than this are one price, currency per kWh. */
const PRICE_ROUNDING = 1e-9;

/** The price of the whole market, and the band it was taken from where a band would do. */
export interface MarketPrice {
  readonly pricePerKWh: number;
  readonly plateau?: { readonly fromPerKWh?: number; readonly toPerKWh?: number };
}

/**
 * The price at which a line gives a power. On a plateau the middle; where it is open on one side, the end that it has;
 * open on both, the price before, else the base price, else 0. A price limit is no end of a plateau. Where only rationing gives the power, the highest (lowest)
 * price of the rules, or of the bids where there is none.
 *
 * @param ends of all bids; behind adders they reach further than those of the line
 */
export function marketPrice(
  graph: PriceGraph,
  powerKW: number,
  ends: PriceEnds | undefined,
  rules: ClearingRules,
): MarketPrice {
  const rounding = roundingKW(graph);
  let { from, to } = pricesGiving(graph, powerKW);
  if (from >= RATIONING_LEVEL || powerKW > highestKW(graph) + rounding) {
    return { pricePerKWh: rules.maxPricePerKWh ?? ends?.last ?? standingPrice(rules) };
  }
  if (to <= -RATIONING_LEVEL || powerKW < lowestKW(graph) - rounding) {
    return { pricePerKWh: rules.minPricePerKWh ?? ends?.first ?? standingPrice(rules) };
  }
  // An offset has given way: every bid is at its end, and any price beyond the last corner does.
  if (from >= OFFSET_LEVEL) [from, to] = [ends?.last ?? Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
  if (to <= -OFFSET_LEVEL) [from, to] = [Number.NEGATIVE_INFINITY, ends?.first ?? Number.POSITIVE_INFINITY];
  if (to - from <= PRICE_ROUNDING) return { pricePerKWh: withinRules(from + (to - from) / 2, rules) };

  const { minPricePerKWh: min, maxPricePerKWh: max } = rules;
  // What ends at a price limit goes on no further, so a band that begins there has no width.
  if (from === max || to === min || (min !== undefined && min === max)) {
    return { pricePerKWh: withinRules(isMarketPrice(from) ? from : to, rules) };
  }

  const plateau = {
    ...(isMarketPrice(from) ? { fromPerKWh: from } : {}),
    ...(isMarketPrice(to) ? { toPerKWh: to } : {}),
  };
  const { fromPerKWh, toPerKWh } = plateau;
  const price =
    fromPerKWh !== undefined && toPerKWh !== undefined
      ? fromPerKWh + (toPerKWh - fromPerKWh) / 2
      : (fromPerKWh ?? toPerKWh ?? standingPrice(rules));
  return { pricePerKWh: withinRules(price, rules), plateau };
}

/** What decides the price of a node. */
interface NodeFlow {
  /** The node's own line, before its limits cut it. */
  readonly raw: PriceGraph;
  readonly flowKW: number;
  /** Bounds of the flow, kW; infinite where there is none. */
  readonly lowKW: number;
  readonly highKW: number;
  /** Currency per kWh for each kW of import. */
  readonly adderPerKW: number;
  /** Of the bids at the node and below. */
  readonly ends?: PriceEnds;
}

/**
 * The price at a node: that of the parent with the adder, unless a limit holds the flow. Then it is the nearest price at
 * which those below want no more than the limit lets through: dearer where import is held, cheaper where export is. Where
 * only rationing gives the flow, it is one at which every bid below is at its end.
 */
export function nodePrice(
  { raw, flowKW, lowKW, highKW, adderPerKW, ends }: NodeFlow,
  parentPerKWh: number,
  rules: ClearingRules,
): { readonly pricePerKWh: number; readonly boundBy?: "FORWARD" | "REVERSE" } {
  const rounding = roundingKW(raw);
  const expected = withinRules(parentPerKWh + adderPerKW * Math.max(0, -flowKW), rules);
  const { from, to } = pricesGiving(raw, flowKW);
  if (flowKW - lowKW <= rounding && from > expected + PRICE_ROUNDING) {
    const rationed = from >= RATIONING_LEVEL ? rules.maxPricePerKWh : undefined;
    const price = rationed ?? (isMarketPrice(from) ? from : Math.max(expected, ends?.last ?? expected));
    return { pricePerKWh: withinRules(price, rules), boundBy: "FORWARD" };
  }
  if (to >= expected - PRICE_ROUNDING) return { pricePerKWh: expected };

  const nearest = isMarketPrice(to) ? to : Math.min(expected, ends?.first ?? expected);
  if (highKW - flowKW <= rounding) {
    const rationed = to <= -RATIONING_LEVEL ? rules.minPricePerKWh : undefined;
    return { pricePerKWh: withinRules(rationed ?? nearest, rules), boundBy: "REVERSE" };
  }
  // The lowest price, or the end of all bids, keeps the parent's price up, so that it leaves no room for all of the adder.
  const importing = flowKW < 0;
  return { pricePerKWh: withinRules(importing ? Math.max(nearest, parentPerKWh) : nearest, rules) };
}

/** All prices at which a line gives a power; infinite where no corner ends them. */
function pricesGiving(graph: PriceGraph, powerKW: number): { from: number; to: number } {
  const { prices, powers } = graph;
  const rounding = roundingKW(graph);
  const end = prices.length - 1;
  const first = firstWithPower(graph, powerKW - rounding);
  const last = firstWithPower(graph, powerKW + rounding) - 1;
  // Corners of the same power but for rounding: a plateau, or one of the two ends, which reach on for ever.
  if (end === 0 || first < last || (first === last && (first === 0 || last === end))) {
    return {
      from: first === 0 ? Number.NEGATIVE_INFINITY : (prices[first] as number),
      to: last === end ? Number.POSITIVE_INFINITY : (prices[last] as number),
    };
  }
  const right = Math.min(Math.max(firstWithPower(graph, powerKW), 1), end);
  const low = powers[right - 1] as number;
  const width = (powers[right] as number) - low;
  const left = prices[right - 1] as number;
  const span = (prices[right] as number) - left;
  const price = width > 0 ? left + Math.min(1, Math.max(0, (powerKW - low) / width)) * span : left;
  return { from: price, to: price };
}

function standingPrice(rules: ClearingRules): number {
  return withinRules(rules.lastPricePerKWh ?? rules.basePricePerKWh ?? 0, rules);
}

function withinRules(price: number, rules: ClearingRules): number {
  const floored = Math.max(price, rules.minPricePerKWh ?? Number.NEGATIVE_INFINITY);
  return Math.min(floored, rules.maxPricePerKWh ?? Number.POSITIVE_INFINITY);
}
