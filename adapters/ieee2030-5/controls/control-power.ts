import { type ActivePower, activePowerFromWatts, wattsFromActivePower } from "../xml/active-power.ts";

/**
 * The ways in which a DERControl can order a power: a share of the rating, watts, or bounds. The pairs are CSIP-AUS's, of
 * the device alone (generation, load) and of the whole connection (export, import); its storage target counts as
 * opModTargetW does. The last two only know on and off.
 */
export const CONTROL_MODES = [
  "opModFixedW",
  "opModTargetW",
  "opModMaxLimW",
  "opModGenLimW+opModLoadLimW",
  "opModExpLimW+opModImpLimW",
  "opModStorageTargetW",
  "opModConnect",
  "opModEnergize",
] as const;

export type ControlMode = (typeof CONTROL_MODES)[number];

/** True for a mode whose controls are the Australian extension's. */
export function isCsipausMode(mode: string): boolean {
  return mode.includes("+") || mode === "opModStorageTargetW";
}

/** What percentages are of, and what is all that a device can do. The two directions may differ. Magnitudes, kW. */
export interface PowerBases {
  /** The device's setMaxW, or rtgMaxW where it set nothing lower; for storage alone its discharge rate. */
  readonly generationKW: number;
  /** The device's setMaxChargeRateW or rtgMaxChargeRateW; 0 for a device that can't consume. */
  readonly chargeKW: number;
  /** The device's setMaxW where that is not `generationKW`: what opModMaxLimW is of. */
  readonly maxKW?: number;
}

type WattElement =
  | "opModTargetW"
  | "opModStorageTargetW"
  | "opModGenLimW"
  | "opModLoadLimW"
  | "opModExpLimW"
  | "opModImpLimW";

/** A power in the terms of one control mode. `appliedKW` is what is left of it after rounding, export positive. */
export type ControlPower =
  | {
      readonly mode: "opModFixedW" | "opModMaxLimW";
      /** Hundredths of a percent, -10000..10000. */
      readonly hundredths: number;
      readonly appliedKW: number;
      readonly ofKW: number;
    }
  | {
      readonly mode: "opModTargetW" | "opModStorageTargetW";
      readonly watts: ActivePower;
      readonly appliedKW: number;
    }
  | {
      readonly mode: "opModGenLimW+opModLoadLimW" | "opModExpLimW+opModImpLimW";
      readonly limits: readonly { readonly name: WattElement; readonly watts: ActivePower }[];
      readonly appliedKW: number;
    }
  | { readonly mode: "opModConnect" | "opModEnergize"; readonly on: boolean; readonly appliedKW: number };

/**
 * The one place where a setpoint gets its sign and unit for a DERControl. 2030.5 counts generation positive here, as we
 * do, so the sign stays; a positive opModFixedW is a share of the generation base, a negative one of the charge rate (text
 * of opModFixedW in the 2018 schema). Bounds have no sign: one for each direction. Rounds towards zero, so that rounding
 * never exceeds an order, and clamps to 100 %.
 *
 * @param powerKW kW, export positive
 * @throws RangeError when the device has nothing to do this power with
 */
export function controlPowerFromKW(powerKW: number, mode: ControlMode, bases: PowerBases): ControlPower {
  if (!Number.isFinite(powerKW)) throw new RangeError(`${powerKW} is no power`);
  switch (mode) {
    case "opModFixedW":
      return { mode, ...shareOf(powerKW, powerKW < 0 ? bases.chargeKW : bases.generationKW) };
    case "opModMaxLimW":
      if (powerKW < 0) throw new RangeError(`opModMaxLimW bounds generation, and ${powerKW} kW is consumption`);
      return { mode, ...shareOf(powerKW, bases.maxKW ?? bases.generationKW) };
    case "opModTargetW":
    case "opModStorageTargetW": {
      const watts = activePowerFromWatts(powerKW * 1000);
      return { mode, watts, appliedKW: wattsFromActivePower(watts) / 1000 };
    }
    case "opModGenLimW+opModLoadLimW":
      return { mode, ...boundsOf(powerKW, "opModGenLimW", "opModLoadLimW", bases) };
    case "opModExpLimW+opModImpLimW":
      return { mode, ...boundsOf(powerKW, "opModExpLimW", "opModImpLimW", bases) };
    case "opModConnect":
    case "opModEnergize":
      return { mode, ...switchOf(powerKW, bases) };
  }
}

function shareOf(powerKW: number, ofKW: number): { hundredths: number; appliedKW: number; ofKW: number } {
  if (powerKW === 0) return { hundredths: 0, appliedKW: 0, ofKW };
  if (!(ofKW > 0)) {
    throw new RangeError(
      `no ${powerKW < 0 ? "charge rate" : "rated power"} is known, so ${powerKW} kW has no percentage`,
    );
  }
  const magnitude = Math.min(Math.floor((Math.abs(powerKW) / ofKW) * 10_000 + 1e-6), 10_000);
  const hundredths = powerKW < 0 && magnitude > 0 ? -magnitude : magnitude;
  return { hundredths, appliedKW: (hundredths * ofKW) / 10_000, ofKW };
}

/** The direction of the order up to its amount; the other one, where the device has it, not at all. */
function boundsOf(powerKW: number, outwards: WattElement, inwards: WattElement, bases: PowerBases) {
  const watts = activePowerFromWatts(Math.abs(powerKW) * 1000);
  const nothing = activePowerFromWatts(0);
  const appliedKW = wattsFromActivePower(watts) / 1000;
  const isInwards = powerKW < 0 || (powerKW === 0 && bases.generationKW <= 0);
  const limits = [
    ...(isInwards || bases.chargeKW > 0 ? [{ name: inwards, watts: isInwards ? watts : nothing }] : []),
    ...(!isInwards || bases.generationKW > 0 ? [{ name: outwards, watts: isInwards ? nothing : watts }] : []),
  ];
  return { limits, appliedKW: powerKW < 0 && appliedKW > 0 ? -appliedKW : appliedKW };
}

/** On is all that the device can do in that direction, so it is on only for an order of all of it. */
function switchOf(powerKW: number, { generationKW, chargeKW }: PowerBases): { on: boolean; appliedKW: number } {
  const fullKW = powerKW < 0 ? -chargeKW : generationKW;
  const on = powerKW !== 0 && fullKW !== 0 && Math.abs(powerKW) >= Math.abs(fullKW) * (1 - 1e-6);
  return { on, appliedKW: on ? fullKW : 0 };
}

/** True if both put the same bits on the wire. */
export function samePower(a: ControlPower, b: ControlPower): boolean {
  return describeBits(a) === describeBits(b);
}

/** For a person: "opModFixedW 7000 (70 % of 5 kW)". */
export function describePower(power: ControlPower): string {
  const bits = describeBits(power);
  return "hundredths" in power ? `${bits} (${power.hundredths / 100} % of ${power.ofKW} kW)` : bits;
}

function describeBits(power: ControlPower): string {
  if ("hundredths" in power) return `${power.mode} ${power.hundredths}`;
  if ("watts" in power) return `${power.mode} ${inWatts(power.watts)}`;
  if ("on" in power) return `${power.mode} ${power.on}`;
  return power.limits.map(({ name, watts }) => `${name} ${inWatts(watts)}`).join(", ");
}

function inWatts({ value, multiplier }: ActivePower): string {
  return `${value}e${multiplier} W`;
}
