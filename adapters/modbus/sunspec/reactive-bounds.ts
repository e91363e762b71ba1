import { definedOnly } from "../../../src/model/defined-only.ts";
import type { ReactiveBounds } from "../../../src/model/resource.ts";

/** What one model states, in SunSpec's units; quadrant 4 of the older models counts downwards. */
export interface StatedBounds {
  readonly apparentVA: number | undefined;
  readonly injectVar: number | undefined;
  readonly absorbVar: number | undefined;
  readonly overExcitedPF: number | undefined;
  readonly underExcitedPF: number | undefined;
}

/** Nothing where nothing is stated: a rating of 0 is a register that nobody filled in. */
export function reactiveBoundsOf(stated: StatedBounds | undefined): ReactiveBounds | undefined {
  if (stated === undefined) return undefined;
  const bounds = definedOnly<ReactiveBounds>({
    apparentKVA: thousandth(stated.apparentVA),
    injectKvar: thousandth(stated.injectVar),
    absorbKvar: thousandth(stated.absorbVar),
    leastOverExcitedPF: powerFactor(stated.overExcitedPF),
    leastUnderExcitedPF: powerFactor(stated.underExcitedPF),
  });
  return Object.keys(bounds).length === 0 ? undefined : bounds;
}

function thousandth(value: number | undefined): number | undefined {
  return value === undefined || value === 0 ? undefined : Math.abs(value) / 1000;
}

function powerFactor(value: number | undefined): number | undefined {
  const magnitude = Math.abs(value ?? 0);
  return magnitude > 0 && magnitude <= 1 ? magnitude : undefined;
}
