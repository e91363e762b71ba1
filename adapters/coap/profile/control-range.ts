import type { ControlSpec } from "./control-schema.ts";
import { type Sources, sourceList } from "./profile-words.ts";

/** How far a control goes, in W, magnitudes. */
export interface ControlRange {
  readonly generationW: number;
  readonly consumptionW: number;
  /** 0 where every power is possible. */
  readonly leastW: number;
  /** W that one unit of the control's quantity is: 1 for watts, a hundredth of the base for percent. */
  readonly unitW: number;
  /** True where the quantity is a share of the base and no power. */
  readonly isPercent: boolean;
}

/** A point's value in W or %, magnitude; undefined where the device has none. */
export type BaseLookup = (name: string) => number | undefined;

/**
 * The range of a control from what the device and the config say.
 * @returns what is missing, in words, where it can't be known
 */
export function rangeOf(spec: ControlSpec, look: BaseLookup, ratingKW: number | undefined): ControlRange | string {
  const { convert, limits } = spec;
  const ratingW = ratingKW === undefined ? undefined : ratingKW * 1000;
  const first = (given: Sources | undefined, rating: number | undefined) => {
    for (const source of sourceList(given)) {
      const value = typeof source === "number" ? source : source === "config.ratingKW" ? rating : look(source);
      if (value !== undefined) return Math.abs(value);
    }
    return undefined;
  };
  const baseW = convert.to === "watts" ? 100 : first(convert.base, ratingW);
  if (baseW === undefined || baseW <= 0) return "what 100 % is: set ratingKW";
  const unitW = convert.to === "watts" ? 1 : baseW / 100;
  // A rating is in W also where the limit is in %.
  const limitW = (given: Sources | undefined) => {
    const limit = first(given, ratingW === undefined ? undefined : ratingW / unitW);
    return limit === undefined ? undefined : limit * unitW;
  };
  const generationW = limits.generation === undefined ? 0 : limitW(limits.generation);
  const consumptionW = limits.consumption === undefined ? 0 : limitW(limits.consumption);
  if (generationW === undefined || consumptionW === undefined) return "how far the device goes: set ratingKW";
  return { generationW, consumptionW, leastW: limitW(limits.least) ?? 0, unitW, isPercent: convert.to === "percentOf" };
}
