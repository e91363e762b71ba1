import type { Clock } from "../../../src/clock.ts";
import { ReversionTimer } from "../../modbus/reversion-timer.ts";
import { type Changes, type ControlModel, oneOf, type PointValues, within } from "../model.ts";
import type { Plant } from "../plant.ts";
import type { PointRow } from "../point.ts";

// Power factor and VAr control are shown and locked.
const ROWS: readonly PointRow[] = [
  ["Conn_WinTms", 2, "uint16", undefined, "RW"],
  ["Conn_RvrtTms", 3, "uint16", undefined, "RW"],
  ["Conn", 4, "enum16", undefined, "RW"],
  ["WMaxLimPct", 5, "uint16", "WMaxLimPct_SF", "RW"],
  ["WMaxLimPct_WinTms", 6, "uint16", undefined, "RW"],
  ["WMaxLimPct_RvrtTms", 7, "uint16", undefined, "RW"],
  ["WMaxLimPct_RmpTms", 8, "uint16", undefined, "RW"],
  ["WMaxLim_Ena", 9, "enum16", undefined, "RW"],
  ["OutPFSet", 10, "int16", "OutPFSet_SF"],
  ["OutPFSet_WinTms", 11, "uint16"],
  ["OutPFSet_RvrtTms", 12, "uint16"],
  ["OutPFSet_RmpTms", 13, "uint16"],
  ["OutPFSet_Ena", 14, "enum16"],
  ["VArWMaxPct", 15, "int16", "VArPct_SF"],
  ["VArMaxPct", 16, "int16", "VArPct_SF"],
  ["VArAvalPct", 17, "int16", "VArPct_SF"],
  ["VArPct_WinTms", 18, "uint16"],
  ["VArPct_RvrtTms", 19, "uint16"],
  ["VArPct_RmpTms", 20, "uint16"],
  ["VArPct_Mod", 21, "enum16"],
  ["VArPct_Ena", 22, "enum16"],
  ["WMaxLimPct_SF", 23, "sunssf"],
  ["OutPFSet_SF", 24, "sunssf"],
  ["VArPct_SF", 25, "sunssf"],
];

const CONNECTION = ["Conn", "Conn_RvrtTms"];
const LIMIT = ["WMaxLimPct", "WMaxLimPct_RvrtTms", "WMaxLim_Ena"];

/** Model 123: the limit on generation, in percent of WMax, and the switch to the grid. */
export class ImmediateControls implements ControlModel {
  readonly id = 123;
  readonly rows = ROWS;
  readonly scales = { WMaxLimPct_SF: -2, OutPFSet_SF: -2 };
  readonly #plant: Plant;
  readonly #hasReversion: boolean;
  readonly #connectionTimer: ReversionTimer;
  readonly #limitTimer: ReversionTimer;
  #isConnected = true;
  #connectionReversionS = 0;
  #limitPercent = 100;
  #limitReversionS = 0;
  #isLimited = false;

  constructor(clock: Clock, plant: Plant, hasReversion: boolean) {
    this.#plant = plant;
    this.#hasReversion = hasReversion;
    this.#connectionTimer = new ReversionTimer(clock);
    this.#limitTimer = new ReversionTimer(clock);
  }

  get isConnected(): boolean {
    return this.#isConnected;
  }

  values(): PointValues {
    return {
      Conn: this.#isConnected ? 1 : 0,
      WMaxLimPct: this.#limitPercent,
      WMaxLim_Ena: this.#isLimited ? 1 : 0,
      OutPFSet: 1,
      OutPFSet_Ena: 0,
      VArPct_Ena: 0,
      ...(this.#hasReversion
        ? { Conn_RvrtTms: this.#connectionReversionS, WMaxLimPct_RvrtTms: this.#limitReversionS }
        : {}),
    };
  }

  write(changes: Changes): boolean {
    if (!oneOf(changes, "Conn", [0, 1]) || !oneOf(changes, "WMaxLim_Ena", [0, 1])) return false;
    if (!within(changes, "WMaxLimPct", 0, 100)) return false;
    this.#isConnected = (changes.get("Conn") ?? (this.#isConnected ? 1 : 0)) === 1;
    this.#connectionReversionS = changes.get("Conn_RvrtTms") ?? this.#connectionReversionS;
    this.#limitPercent = changes.get("WMaxLimPct") ?? this.#limitPercent;
    this.#limitReversionS = changes.get("WMaxLimPct_RvrtTms") ?? this.#limitReversionS;
    this.#isLimited = (changes.get("WMaxLim_Ena") ?? (this.#isLimited ? 1 : 0)) === 1;
    if (CONNECTION.some((name) => changes.has(name))) {
      this.#connectionTimer.restart(this.#isConnected ? 0 : this.#connectionReversionS);
    }
    if (LIMIT.some((name) => changes.has(name))) {
      this.#limitTimer.restart(this.#isLimited ? this.#limitReversionS : 0);
    }
    return true;
  }

  revert(): void {
    if (this.#connectionTimer.ranOut()) this.#isConnected = true;
    if (this.#limitTimer.ranOut()) this.#isLimited = false;
  }

  shape(wantedKW: number): number {
    if (!this.#isConnected) return 0;
    return this.#isLimited ? Math.min(wantedKW, (this.#limitPercent / 100) * this.#plant.wMaxKW) : wantedKW;
  }

  isActive(): boolean {
    return this.#isLimited || !this.#isConnected;
  }
}
