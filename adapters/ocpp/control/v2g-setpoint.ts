/** What a car at a connector may be told to do, in the terms of OCPP: charging positive, whole watts. */
export interface SetpointBounds {
  /** Most that it may charge with, ≥ 0. */
  readonly limitW: number;
  /** Most that it may discharge with, ≤ 0. */
  readonly dischargeLimitW: number;
  /** Least magnitudes at which it charges and discharges at all, ≥ 0. */
  readonly minChargeW: number;
  readonly minDischargeW: number;
  /** What becomes of a charge between 0 and the least: none, or the least. */
  readonly belowMin: "pause" | "min";
  /** The same bounds on L1, L2 and L3, whole watts, where the car tells its lines apart and they differ. */
  readonly lines?: {
    readonly limitW: readonly [number, number, number];
    readonly dischargeLimitW: readonly [number, number, number];
  };
}

/** A setpoint as it goes on the wire: charging positive, whole watts. */
export interface WireSetpoint {
  readonly totalW: number;
  /** On L1, L2 and L3, all of one sign; absent where the charger divides it by itself. */
  readonly lineW?: readonly [number, number, number];
}

/** Keeps a milliwatt of rounding from costing a watt. */
const DUST_W = 1e-3;

/**
 * Turns the sign: OCPP 2.1 counts a setpoint positive while the car charges and negative while it discharges, the core the
 * other way round.
 *
 * @param powerKW export positive
 * @returns watts within the bounds, rounded towards zero: never more than was ordered, in either direction
 */
export function setpointFromPower(powerKW: number, bounds: SetpointBounds): WireSetpoint {
  const totalW = possibleW(towardsZero(-powerKW * 1000), bounds);
  if (bounds.lines === undefined) return { totalW };
  const most = totalW >= 0 ? bounds.lines.limitW : bounds.lines.dischargeLimitW;
  const lineW = overLines(totalW, most);
  return { totalW: lineW[0] + lineW[1] + lineW[2], lineW };
}

/** The way back: kW, export positive, of a setpoint as OCPP counts it. */
export function powerFromSetpoint({ totalW }: WireSetpoint): number {
  return totalW === 0 ? 0 : -totalW / 1000;
}

function possibleW(askedW: number, bounds: SetpointBounds): number {
  if (askedW > 0) {
    if (askedW >= bounds.minChargeW - DUST_W) return Math.min(askedW, bounds.limitW);
    return bounds.belowMin === "min" ? Math.min(Math.ceil(bounds.minChargeW), bounds.limitW) : 0;
  }
  if (-askedW < bounds.minDischargeW - DUST_W) return 0;
  return Math.max(askedW, bounds.dischargeLimitW);
}

function towardsZero(watts: number): number {
  const whole = Math.trunc(watts + Math.sign(watts) * DUST_W);
  return whole === 0 ? 0 : whole;
}

/**
 * Divides watts in proportion to what each line can do. Rounding the running sum keeps the whole exact and each line
 * within a watt of its share, so within its own bound, which is a whole number.
 */
function overLines(totalW: number, mostW: readonly [number, number, number]): readonly [number, number, number] {
  const allW = mostW[0] + mostW[1] + mostW[2];
  if (allW === 0) return [0, 0, 0];
  const share = Math.min(1, totalW / allW);
  const first = Math.round(mostW[0] * share);
  const second = Math.round((mostW[0] + mostW[1]) * share) - first;
  return [first, second, Math.round(allW * share) - first - second];
}
