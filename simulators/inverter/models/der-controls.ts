import type { Clock } from "../../../src/clock.ts";
import { ReversionTimer } from "../../modbus/reversion-timer.ts";
import { type Changes, type ControlModel, oneOf, type PointValues, within } from "../model.ts";
import type { Plant } from "../plant.ts";
import type { PointRow } from "../point.ts";

// Power factor, VAr and ramp control are not implemented in this device.
const ROWS: readonly PointRow[] = [
  ["PFWInjEna", 2, "enum16"],
  ["PFWInjEnaRvrt", 3, "enum16"],
  ["PFWInjRvrtTms", 4, "uint32"],
  ["PFWInjRvrtRem", 6, "uint32"],
  ["PFWAbsEna", 8, "enum16"],
  ["PFWAbsEnaRvrt", 9, "enum16"],
  ["PFWAbsRvrtTms", 10, "uint32"],
  ["PFWAbsRvrtRem", 12, "uint32"],
  ["WMaxLimPctEna", 14, "enum16", undefined, "RW"],
  ["WMaxLimPct", 15, "uint16", "WMaxLimPct_SF", "RW"],
  ["WMaxLimPctRvrt", 16, "uint16", "WMaxLimPct_SF", "RW"],
  ["WMaxLimPctEnaRvrt", 17, "enum16", undefined, "RW"],
  ["WMaxLimPctRvrtTms", 18, "uint32", undefined, "RW"],
  ["WMaxLimPctRvrtRem", 20, "uint32"],
  ["WSetEna", 22, "enum16", undefined, "RW"],
  ["WSetMod", 23, "enum16", undefined, "RW"],
  ["WSet", 24, "int32", "WSet_SF", "RW"],
  ["WSetRvrt", 26, "int32", "WSet_SF", "RW"],
  ["WSetPct", 28, "int16", "WSetPct_SF", "RW"],
  ["WSetPctRvrt", 29, "int16", "WSetPct_SF", "RW"],
  ["WSetEnaRvrt", 30, "enum16", undefined, "RW"],
  ["WSetRvrtTms", 31, "uint32", undefined, "RW"],
  ["WSetRvrtRem", 33, "uint32"],
  ["VarSetEna", 35, "enum16"],
  ["VarSetMod", 36, "enum16"],
  ["VarSetPri", 37, "enum16"],
  ["VarSet", 38, "int32", "VarSet_SF"],
  ["VarSetRvrt", 40, "int32", "VarSet_SF"],
  ["VarSetPct", 42, "int16", "VarSetPct_SF"],
  ["VarSetPctRvrt", 43, "int16", "VarSetPct_SF"],
  ["VarSetEnaRvrt", 44, "enum16"],
  ["VarSetRvrtTms", 45, "uint32"],
  ["VarSetRvrtRem", 47, "uint32"],
  ["WRmp", 49, "uint16"],
  ["WRmpRef", 50, "enum16"],
  ["VarRmp", 51, "uint16"],
  ["AntiIslEna", 52, "enum16"],
  ["PF_SF", 53, "sunssf"],
  ["WMaxLimPct_SF", 54, "sunssf"],
  ["WSet_SF", 55, "sunssf"],
  ["WSetPct_SF", 56, "sunssf"],
  ["VarSet_SF", 57, "sunssf"],
  ["VarSetPct_SF", 58, "sunssf"],
  ["PFWInj.PF", 59, "uint16", "PF_SF"],
  ["PFWInj.Ext", 60, "enum16"],
  ["PFWInjRvrt.PF", 61, "uint16", "PF_SF"],
  ["PFWInjRvrt.Ext", 62, "enum16"],
  ["PFWAbs.PF", 63, "uint16", "PF_SF"],
  ["PFWAbs.Ext", 64, "enum16"],
  ["PFWAbsRvrt.PF", 65, "uint16", "PF_SF"],
  ["PFWAbsRvrt.Ext", 66, "enum16"],
];

const PERCENT_MODE = 0;
const WATT_MODE = 1;
/** Bits of 701.ThrotSrc. */
const BY_MAX_WATTS = 0b01;
const BY_FIXED_WATTS = 0b10;

/** Points as they stand in the registers, in their units. */
const START: Readonly<Record<string, number>> = {
  WMaxLimPctEna: 0,
  WMaxLimPct: 100,
  WSetEna: 0,
  WSetMod: WATT_MODE,
  WSet: 0,
  WSetPct: 0,
};

/** The points that say what to go back to and when; a device without reversion has none of them. */
const START_REVERSION: Readonly<Record<string, number>> = {
  WMaxLimPctRvrt: 100,
  WMaxLimPctEnaRvrt: 0,
  WMaxLimPctRvrtTms: 0,
  WSetRvrt: 0,
  WSetPctRvrt: 0,
  WSetEnaRvrt: 0,
  WSetRvrtTms: 0,
};

/** Model 704: a limit on generation in percent of WMax, and a power to hold, signed: + injects, − absorbs. */
export class DerControls implements ControlModel {
  readonly id = 704;
  readonly rows = ROWS;
  readonly scales = { WMaxLimPct_SF: -1, WSet_SF: 1, WSetPct_SF: -2 };
  readonly #plant: Plant;
  readonly #hasReversion: boolean;
  readonly #limitTimer: ReversionTimer;
  readonly #setTimer: ReversionTimer;
  readonly #points: Map<string, number>;

  constructor(clock: Clock, plant: Plant, hasReversion: boolean) {
    this.#plant = plant;
    this.#hasReversion = hasReversion;
    this.#limitTimer = new ReversionTimer(clock);
    this.#setTimer = new ReversionTimer(clock);
    this.#points = new Map(Object.entries({ ...START, ...(hasReversion ? START_REVERSION : {}) }));
  }

  values(): PointValues {
    const remaining = this.#hasReversion
      ? { WMaxLimPctRvrtRem: this.#limitTimer.remainingS(), WSetRvrtRem: this.#setTimer.remainingS() }
      : {};
    return { ...Object.fromEntries(this.#points), ...remaining };
  }

  write(changes: Changes): boolean {
    if (!this.#allows(changes)) return false;
    for (const [name, value] of changes) this.#points.set(name, value);
    const names = [...changes.keys()];
    if (names.some((name) => name.startsWith("WMaxLimPct"))) {
      this.#limitTimer.restart(this.#isOn("WMaxLimPctEna") ? this.#point("WMaxLimPctRvrtTms") : 0);
    }
    if (names.some((name) => name.startsWith("WSet"))) {
      this.#setTimer.restart(this.#isOn("WSetEna") ? this.#point("WSetRvrtTms") : 0);
    }
    return true;
  }

  revert(): void {
    if (this.#limitTimer.ranOut()) {
      this.#points.set("WMaxLimPctEna", this.#point("WMaxLimPctEnaRvrt"));
      this.#points.set("WMaxLimPct", this.#point("WMaxLimPctRvrt"));
    }
    if (this.#setTimer.ranOut()) {
      this.#points.set("WSetEna", this.#point("WSetEnaRvrt"));
      this.#points.set("WSet", this.#point("WSetRvrt"));
      this.#points.set("WSetPct", this.#point("WSetPctRvrt"));
    }
  }

  shape(wantedKW: number): number {
    const setKW =
      this.#point("WSetMod") === PERCENT_MODE
        ? (this.#point("WSetPct") / 100) * this.#plant.wMaxKW
        : this.#point("WSet") / 1000;
    const powerKW = this.#isOn("WSetEna") ? setKW : wantedKW;
    if (!this.#isOn("WMaxLimPctEna")) return powerKW;
    return Math.min(powerKW, (this.#point("WMaxLimPct") / 100) * this.#plant.wMaxKW);
  }

  isActive(): boolean {
    return this.#isOn("WMaxLimPctEna") || this.#isOn("WSetEna");
  }

  /** Which of the two holds the power, as bits of 701.ThrotSrc. */
  throttleSources(): number {
    return (this.#isOn("WMaxLimPctEna") ? BY_MAX_WATTS : 0) | (this.#isOn("WSetEna") ? BY_FIXED_WATTS : 0);
  }

  /** Panels can't absorb, so below 0 they refuse. */
  #allows(changes: Changes): boolean {
    const { isBattery, maxChargeKW, maxDischargeKW, ratingKW } = this.#plant;
    const lowW = isBattery ? -maxChargeKW * 1000 : 0;
    const highW = (isBattery ? maxDischargeKW : ratingKW) * 1000;
    const lowPercent = isBattery ? -100 : 0;
    return (
      ["WMaxLimPctEna", "WMaxLimPctEnaRvrt", "WSetEna", "WSetEnaRvrt"].every((name) => oneOf(changes, name, [0, 1])) &&
      oneOf(changes, "WSetMod", [PERCENT_MODE, WATT_MODE]) &&
      ["WMaxLimPct", "WMaxLimPctRvrt"].every((name) => within(changes, name, 0, 100)) &&
      ["WSet", "WSetRvrt"].every((name) => within(changes, name, lowW, highW)) &&
      ["WSetPct", "WSetPctRvrt"].every((name) => within(changes, name, lowPercent, 100))
    );
  }

  #point(name: string): number {
    return this.#points.get(name) ?? 0;
  }

  #isOn(name: string): boolean {
    return this.#point(name) === 1;
  }
}
