import {
  type ActivePower,
  activePowerElements,
  activePowerFromWatts,
  wattsFromActivePower,
} from "../xml/active-power.ts";
import { element, type OutElement } from "../xml/xml-write.ts";

/** The two ways in which a DERControl can order a power. */
export type ControlMode = "opModFixedW" | "opModTargetW";

/** What the percentages of `opModFixedW` are of. The two directions may differ. Magnitudes, kW. */
export interface PowerBases {
  /** The device's setMaxW, or rtgMaxW where it set nothing lower. */
  readonly generationKW: number;
  /** The device's setMaxChargeRateW or rtgMaxChargeRateW; 0 for a device that can't consume. */
  readonly chargeKW: number;
}

/** A power in the terms of one control mode. */
export type ControlPower =
  | {
      readonly mode: "opModFixedW";
      /** Hundredths of a percent, -10000..10000. */
      readonly hundredths: number;
      readonly appliedKW: number;
      readonly ofKW: number;
    }
  | { readonly mode: "opModTargetW"; readonly watts: ActivePower; readonly appliedKW: number };

/**
 * The one place where a setpoint gets its sign and unit for a DERControl. 2030.5 counts generation positive here, as we
 * do, so the sign stays; a positive value is a share of the generation base, a negative one of the charge rate (text of
 * opModFixedW in the 2018 schema). Rounds towards zero, so that rounding never exceeds an order, and clamps to 100 %.
 *
 * @param powerKW kW, export positive
 * @throws RangeError when the device has nothing to do this power with
 */
export function controlPowerFromKW(powerKW: number, mode: ControlMode, bases: PowerBases): ControlPower {
  if (!Number.isFinite(powerKW)) throw new RangeError(`${powerKW} is no power`);
  if (mode === "opModTargetW") {
    const watts = activePowerFromWatts(powerKW * 1000);
    return { mode, watts, appliedKW: wattsFromActivePower(watts) / 1000 };
  }
  const ofKW = powerKW < 0 ? bases.chargeKW : bases.generationKW;
  if (powerKW === 0) return { mode, hundredths: 0, appliedKW: 0, ofKW };
  if (!(ofKW > 0)) {
    throw new RangeError(
      `no ${powerKW < 0 ? "charge rate" : "rated power"} is known, so ${powerKW} kW has no percentage`,
    );
  }
  const magnitude = Math.min(Math.floor((Math.abs(powerKW) / ofKW) * 10_000 + 1e-6), 10_000);
  const hundredths = powerKW < 0 && magnitude > 0 ? -magnitude : magnitude;
  return { mode, hundredths, appliedKW: (hundredths * ofKW) / 10_000, ofKW };
}

/** True if both put the same bits on the wire. */
export function samePower(a: ControlPower, b: ControlPower): boolean {
  if (a.mode === "opModFixedW") return b.mode === a.mode && b.hundredths === a.hundredths;
  return b.mode === a.mode && b.watts.value === a.watts.value && b.watts.multiplier === a.watts.multiplier;
}

/** The one element of a DERControlBase that orders this power. */
export function controlElement(power: ControlPower): OutElement {
  return power.mode === "opModFixedW"
    ? element("opModFixedW", power.hundredths)
    : element("opModTargetW", activePowerElements(power.watts));
}

/** For a person: "opModFixedW 7000 (70 % of 5 kW)". */
export function describePower(power: ControlPower): string {
  return power.mode === "opModFixedW"
    ? `opModFixedW ${power.hundredths} (${power.hundredths / 100} % of ${power.ofKW} kW)`
    : `opModTargetW ${power.watts.value}e${power.watts.multiplier} W`;
}
