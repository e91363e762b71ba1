import type { ControlModes } from "./control-modes.ts";

/** Powers that a device names in its DERSettings, all as magnitudes in kW. */
export interface Ratings {
  readonly maxKW: number;
  /** 0 where it cannot take power in. */
  readonly maxChargeKW: number;
  /** Absent where it stores nothing; then `maxKW` is the base of what it gives out. */
  readonly maxDischargeKW?: number;
}

/**
 * The power that a control orders, kW, export positive as in the control itself; `undefined` if it orders none.
 * The two directions of opModFixedW have bases of their own.
 */
export function orderedKW(modes: ControlModes, ratings: Ratings): number | undefined {
  if (modes.targetW !== undefined) return modes.targetW / 1000;
  if (modes.fixedW === undefined) return undefined;
  const baseKW = modes.fixedW < 0 ? ratings.maxChargeKW : (ratings.maxDischargeKW ?? ratings.maxKW);
  return (modes.fixedW / 10_000) * baseKW;
}

/** Most that may be given out under a control, kW; `undefined` if it sets no such bound. */
export function exportLimitKW(modes: ControlModes, ratings: Ratings): number | undefined {
  const shareKW = modes.maxLimW === undefined ? undefined : (modes.maxLimW / 10_000) * ratings.maxKW;
  return leastKW(shareKW, kWOf(modes.mostOutW), modes.isOff ? 0 : undefined);
}

/** Most that may be taken in under a control, a magnitude in kW; `undefined` if it sets no such bound. */
export function importLimitKW(modes: ControlModes): number | undefined {
  return leastKW(kWOf(modes.mostInW), modes.isOff ? 0 : undefined);
}

function kWOf(watts: number | undefined): number | undefined {
  return watts === undefined ? undefined : watts / 1000;
}

function leastKW(...bounds: readonly (number | undefined)[]): number | undefined {
  const present = bounds.filter((bound) => bound !== undefined);
  return present.length === 0 ? undefined : Math.min(...present);
}

/**
 * Watts as a meter of IEEE 2030.5 counts them, from kW with export positive: flowDirection 1 is towards the customer, so
 * a generating device shows a negative number.
 */
export function meterWattsFromKW(powerKW: number): number {
  return Math.round(-powerKW * 1000) + 0;
}
