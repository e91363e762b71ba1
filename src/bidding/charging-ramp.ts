/** How a charger may move. Powers are magnitudes of consumption, kW; times in hours. */
export interface ChargingRange {
  /** Most that it can draw, kW, > 0. */
  readonly maxKW: number;
  /** Least at which it runs, kW, ≥ 0; 0 where every power is possible. From 0 it gets there at once, and back. */
  readonly minRunKW: number;
  /** Draw at the start of the slot, kW. */
  readonly presentKW: number;
  /** Fastest change, kW per hour; infinite where there is none. */
  readonly rampKWPerHour: number;
}

/** The highest power to which the draw can have risen after `hours`. */
export function rampCeilingKW(range: ChargingRange, hours: number): number {
  const fromKW = Math.max(range.presentKW, range.minRunKW);
  return range.rampKWPerHour === Number.POSITIVE_INFINITY
    ? range.maxKW
    : Math.min(range.maxKW, fromKW + range.rampKWPerHour * hours);
}

/** The lowest power to which the draw can have fallen after `hours`; never above the most that it may draw. */
export function rampFloorKW(range: ChargingRange, hours: number): number {
  if (range.rampKWPerHour === Number.POSITIVE_INFINITY) return 0;
  const downToKW = range.presentKW - range.rampKWPerHour * hours;
  return downToKW <= Math.max(range.minRunKW, 0) ? 0 : Math.min(downToKW, range.maxKW);
}

/** Energy of a slot at whose end the draw is `endKW`, kWh: it moves there as fast as it may and stays. */
export function slotEnergyKWh(range: ChargingRange, endKW: number, hours: number): number {
  const { rampKWPerHour, minRunKW, presentKW } = range;
  if (rampKWPerHour === Number.POSITIVE_INFINITY) return endKW * hours;
  if (endKW === 0 && minRunKW > 0) {
    // It ramps down to the least power and stops from there.
    return presentKW > minRunKW ? (presentKW ** 2 - minRunKW ** 2) / (2 * rampKWPerHour) : 0;
  }
  const fromKW = endKW > presentKW ? Math.max(presentKW, minRunKW) : Math.min(presentKW, range.maxKW);
  const extraKWh = (fromKW - endKW) ** 2 / (2 * rampKWPerHour);
  return endKW * hours + (endKW > fromKW ? -extraKWh : extraKWh);
}

/** Energy of full effort for `hours`, starting at a draw of `fromKW`, kWh. */
export function fullEffortKWh(range: ChargingRange, fromKW: number, hours: number): number {
  const { rampKWPerHour, maxKW } = range;
  const startKW = Math.min(Math.max(fromKW, range.minRunKW), maxKW);
  const riseHours = rampKWPerHour === Number.POSITIVE_INFINITY ? 0 : (maxKW - startKW) / rampKWPerHour;
  if (hours >= riseHours) return maxKW * hours - ((maxKW - startKW) * riseHours) / 2;
  return startKW * hours + (rampKWPerHour * hours ** 2) / 2;
}

/**
 * The least `x` of `[low, high]` at which a rising condition holds, within 2^-40 of the span and on the side where
 * it holds; `high` if it holds nowhere.
 */
export function leastWhere(low: number, high: number, holds: (x: number) => boolean): number {
  if (holds(low)) return low;
  let fails = low;
  let works = high;
  for (let step = 0; step < 40; step++) {
    const middle = (fails + works) / 2;
    if (holds(middle)) works = middle;
    else fails = middle;
  }
  return works;
}
