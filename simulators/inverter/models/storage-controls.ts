import type { Clock } from "../../../src/clock.ts";
import { ReversionTimer } from "../../modbus/reversion-timer.ts";
import { type Changes, type ControlModel, oneOf, type PointValues, within } from "../model.ts";
import { scaleThatFits } from "../operating-state.ts";
import type { Plant } from "../plant.ts";
import type { PointRow } from "../point.ts";

const ROWS: readonly PointRow[] = [
  ["WChaMax", 2, "uint16", "WChaMax_SF", "RW"],
  ["WChaGra", 3, "uint16", "WChaDisChaGra_SF"],
  ["WDisChaGra", 4, "uint16", "WChaDisChaGra_SF"],
  ["StorCtl_Mod", 5, "bitfield16", undefined, "RW"],
  ["VAChaMax", 6, "uint16", "VAChaMax_SF"],
  ["MinRsvPct", 7, "uint16", "MinRsvPct_SF"],
  ["ChaState", 8, "uint16", "ChaState_SF"],
  ["StorAval", 9, "uint16", "StorAval_SF"],
  ["InBatV", 10, "uint16", "InBatV_SF"],
  ["ChaSt", 11, "enum16"],
  ["OutWRte", 12, "int16", "InOutWRte_SF", "RW"],
  ["InWRte", 13, "int16", "InOutWRte_SF", "RW"],
  ["InOutWRte_WinTms", 14, "uint16", undefined, "RW"],
  ["InOutWRte_RvrtTms", 15, "uint16", undefined, "RW"],
  ["InOutWRte_RmpTms", 16, "uint16", undefined, "RW"],
  ["ChaGriSet", 17, "enum16", undefined, "RW"],
  ["WChaMax_SF", 18, "sunssf"],
  ["WChaDisChaGra_SF", 19, "sunssf"],
  ["VAChaMax_SF", 20, "sunssf"],
  ["MinRsvPct_SF", 21, "sunssf"],
  ["ChaState_SF", 22, "sunssf"],
  ["StorAval_SF", 23, "sunssf"],
  ["InBatV_SF", 24, "sunssf"],
  ["InOutWRte_SF", 25, "sunssf"],
];

const LIMIT_CHARGE = 0b01;
const LIMIT_DISCHARGE = 0b10;
const TIMED = ["StorCtl_Mod", "OutWRte", "InWRte", "InOutWRte_RvrtTms"];

const CHARGE_STATE = { empty: 2, discharging: 3, charging: 4, full: 5, holding: 6 } as const;

/**
 * Model 124: bounds on charging (InWRte, percent of WChaMax) and discharging (OutWRte, percent of the greatest
 * discharge rate). A negative bound on one side forces the other: at most −40 % discharge is at least 40 % charge.
 */
export class StorageControls implements ControlModel {
  readonly id = 124;
  readonly rows = ROWS;
  readonly scales: Readonly<Record<string, number>>;
  readonly #plant: Plant;
  readonly #hasReversion: boolean;
  readonly #timer: ReversionTimer;
  #maxChargeKW: number;
  #mode = 0;
  #outPercent = 100;
  #inPercent = 100;
  #reversionS = 0;
  #mayChargeFromGrid = true;

  constructor(clock: Clock, plant: Plant, hasReversion: boolean) {
    this.#plant = plant;
    this.#hasReversion = hasReversion;
    this.#timer = new ReversionTimer(clock);
    this.#maxChargeKW = plant.maxChargeKW;
    this.scales = {
      WChaMax_SF: scaleThatFits(plant.maxChargeKW * 1000, 65_534, 1),
      WChaDisChaGra_SF: 0,
      MinRsvPct_SF: -2,
      ChaState_SF: -2,
      InBatV_SF: -1,
      InOutWRte_SF: -2,
    };
  }

  values(): PointValues {
    const now = this.#plant.measure();
    const socPercent = now.socPercent ?? 0;
    return {
      WChaMax: this.#maxChargeKW * 1000,
      WChaGra: 100,
      WDisChaGra: 100,
      StorCtl_Mod: this.#mode,
      MinRsvPct: 5,
      ChaState: socPercent,
      InBatV: 380 + 0.6 * socPercent,
      ChaSt: chargeState(now.powerKW, socPercent),
      OutWRte: this.#outPercent,
      InWRte: this.#inPercent,
      ChaGriSet: this.#mayChargeFromGrid ? 1 : 0,
      ...(this.#hasReversion ? { InOutWRte_RvrtTms: this.#reversionS } : {}),
    };
  }

  write(changes: Changes): boolean {
    if (!oneOf(changes, "StorCtl_Mod", [0, 1, 2, 3]) || !oneOf(changes, "ChaGriSet", [0, 1])) return false;
    if (!within(changes, "OutWRte", -100, 100) || !within(changes, "InWRte", -100, 100)) return false;
    if (!within(changes, "WChaMax", 0, this.#plant.maxChargeKW * 1000)) return false;
    const maxChargeW = changes.get("WChaMax");
    if (maxChargeW !== undefined) this.#maxChargeKW = maxChargeW / 1000;
    this.#mode = changes.get("StorCtl_Mod") ?? this.#mode;
    this.#outPercent = changes.get("OutWRte") ?? this.#outPercent;
    this.#inPercent = changes.get("InWRte") ?? this.#inPercent;
    this.#reversionS = changes.get("InOutWRte_RvrtTms") ?? this.#reversionS;
    this.#mayChargeFromGrid = (changes.get("ChaGriSet") ?? (this.#mayChargeFromGrid ? 1 : 0)) === 1;
    if (TIMED.some((name) => changes.has(name))) this.#timer.restart(this.isActive() ? this.#reversionS : 0);
    return true;
  }

  revert(): void {
    if (this.#timer.ranOut()) this.#mode = 0;
  }

  shape(wantedKW: number): number {
    const dischargeKW = ((this.#mode & LIMIT_DISCHARGE ? this.#outPercent : 100) / 100) * this.#plant.maxDischargeKW;
    const chargeKW = ((this.#mode & LIMIT_CHARGE ? this.#inPercent : 100) / 100) * this.#maxChargeKW;
    // Both sides negative asks for charging and discharging at once; such a device stands still.
    if (-chargeKW > dischargeKW) return 0;
    const powerKW = Math.min(Math.max(wantedKW, -chargeKW), dischargeKW);
    return this.#mayChargeFromGrid ? powerKW : Math.max(powerKW, 0);
  }

  isActive(): boolean {
    return this.#mode !== 0;
  }
}

/** As models 124 and 802 number it. */
export function chargeState(powerKW: number, socPercent: number): number {
  if (powerKW > 0.02) return CHARGE_STATE.discharging;
  if (powerKW < -0.02) return CHARGE_STATE.charging;
  if (socPercent <= 5) return CHARGE_STATE.empty;
  return socPercent >= 99.5 ? CHARGE_STATE.full : CHARGE_STATE.holding;
}
