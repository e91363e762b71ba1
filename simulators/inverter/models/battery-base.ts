import type { Clock } from "../../../src/clock.ts";
import { type Changes, oneOf, type PointValues, type SwitchModel, within } from "../model.ts";
import { scaleThatFits } from "../operating-state.ts";
import type { Plant } from "../plant.ts";
import { type PointRow, rowsFrom } from "../point.ts";
import { chargeState } from "./storage-controls.ts";

const ROWS: readonly PointRow[] = [
  ["AHRtg", 2, "uint16", "AHRtg_SF"],
  ["WHRtg", 3, "uint16", "WHRtg_SF"],
  ["WChaRteMax", 4, "uint16", "WChaDisChaMax_SF"],
  ["WDisChaRteMax", 5, "uint16", "WChaDisChaMax_SF"],
  ["DisChaRte", 6, "uint16", "DisChaRte_SF"],
  ["SoCMax", 7, "uint16", "SoC_SF"],
  ["SoCMin", 8, "uint16", "SoC_SF"],
  ["SocRsvMax", 9, "uint16", "SoC_SF", "RW"],
  ["SoCRsvMin", 10, "uint16", "SoC_SF", "RW"],
  ["SoC", 11, "uint16", "SoC_SF"],
  ["DoD", 12, "uint16", "DoD_SF"],
  ["SoH", 13, "uint16", "SoH_SF"],
  ["NCyc", 14, "uint32"],
  ["ChaSt", 16, "enum16"],
  ["LocRemCtl", 17, "enum16"],
  ["Hb", 18, "uint16"],
  ["CtrlHb", 19, "uint16", undefined, "RW"],
  ["AlmRst", 20, "uint16", undefined, "RW"],
  ["Typ", 21, "enum16"],
  ["State", 22, "enum16"],
  ["StateVnd", 23, "enum16"],
  ["WarrDt", 24, "uint32"],
  ...rowsFrom(26, "bitfield32", ["Evt1", "Evt2", "EvtVnd1", "EvtVnd2"]),
  ...rowsFrom(34, "uint16", ["V", "VMax", "VMin"], "V_SF"),
  ["CellVMax", 37, "uint16", "CellV_SF"],
  ...rowsFrom(38, "uint16", ["CellVMaxStr", "CellVMaxMod"]),
  ["CellVMin", 40, "uint16", "CellV_SF"],
  ...rowsFrom(41, "uint16", ["CellVMinStr", "CellVMinMod"]),
  ["CellVAvg", 43, "uint16", "CellV_SF"],
  ["A", 44, "int16", "A_SF"],
  ...rowsFrom(45, "uint16", ["AChaMax", "ADisChaMax"], "AMax_SF"),
  ["W", 47, "int16", "W_SF"],
  ["ReqInvState", 48, "enum16"],
  ["ReqW", 49, "int16", "W_SF"],
  ["SetOp", 50, "enum16", undefined, "RW"],
  ["SetInvState", 51, "enum16", undefined, "RW"],
  ...rowsFrom(52, "sunssf", ["AHRtg_SF", "WHRtg_SF", "WChaDisChaMax_SF", "DisChaRte_SF", "SoC_SF", "DoD_SF"]),
  ...rowsFrom(58, "sunssf", ["SoH_SF", "V_SF", "CellV_SF", "A_SF", "AMax_SF", "W_SF"]),
];

const CONNECT = 1;
const DISCONNECT = 2;
const LITHIUM_ION = 4;
const STATE = { disconnected: 1, connected: 3 } as const;
const INVERTER_STARTED = 3;
const CELLS_IN_ROW = 112;

/** Model 802: the cells, their limits, and the contactor between them and the converter. */
export class BatteryBase implements SwitchModel {
  readonly id = 802;
  readonly rows = ROWS;
  readonly scales: Readonly<Record<string, number>>;
  readonly #clock: Clock;
  readonly #plant: Plant;
  readonly #isLocal: () => boolean;
  #isConnected = true;
  #heartbeat = 0;
  #inverterState = INVERTER_STARTED;
  #reservePercent = { SocRsvMax: 100, SoCRsvMin: 5 };

  constructor(clock: Clock, plant: Plant, isLocal: () => boolean) {
    this.#clock = clock;
    this.#plant = plant;
    this.#isLocal = isLocal;
    const capacityWh = (plant.capacityKWh ?? 0) * 1000;
    this.scales = {
      AHRtg_SF: -1,
      WHRtg_SF: scaleThatFits(capacityWh, 65_534, 1),
      WChaDisChaMax_SF: scaleThatFits(plant.ratingKW * 1000, 65_534, 1),
      SoC_SF: -1,
      DoD_SF: -1,
      SoH_SF: 0,
      V_SF: -1,
      CellV_SF: -3,
      A_SF: -1,
      AMax_SF: -1,
      W_SF: scaleThatFits(2000 * plant.ratingKW, 32_767, 0),
    };
  }

  values(): PointValues {
    const plant = this.#plant;
    const now = plant.measure();
    const socPercent = now.socPercent ?? 0;
    const capacityWh = (plant.capacityKWh ?? 0) * 1000;
    const powerW = plant.dcPowerKW(now.powerKW) * 1000;
    return {
      AHRtg: capacityWh / plant.dcVoltageV,
      WHRtg: capacityWh,
      WChaRteMax: plant.maxChargeKW * 1000,
      WDisChaRteMax: plant.maxDischargeKW * 1000,
      SoCMax: 100,
      SoCMin: 0,
      ...this.#reservePercent,
      SoC: socPercent,
      DoD: 100 - socPercent,
      SoH: 98,
      NCyc: 212,
      ChaSt: chargeState(now.powerKW, socPercent),
      LocRemCtl: this.#isLocal() ? 1 : 0,
      Hb: Math.floor(this.#clock.elapsedMs() / 1000) % 0xffff,
      CtrlHb: this.#heartbeat,
      AlmRst: 0,
      Typ: LITHIUM_ION,
      State: this.#isConnected ? STATE.connected : STATE.disconnected,
      Evt1: 0,
      Evt2: 0,
      EvtVnd1: 0,
      EvtVnd2: 0,
      V: plant.dcVoltageV,
      CellVMax: (plant.dcVoltageV + 1) / CELLS_IN_ROW,
      CellVMin: (plant.dcVoltageV - 1) / CELLS_IN_ROW,
      CellVAvg: plant.dcVoltageV / CELLS_IN_ROW,
      A: powerW / plant.dcVoltageV,
      AChaMax: (plant.maxChargeKW * 1000) / plant.dcVoltageV,
      ADisChaMax: (plant.maxDischargeKW * 1000) / plant.dcVoltageV,
      W: powerW,
      SetOp: this.#isConnected ? CONNECT : DISCONNECT,
      SetInvState: this.#inverterState,
    };
  }

  write(changes: Changes): boolean {
    if (!oneOf(changes, "SetOp", [CONNECT, DISCONNECT]) || !oneOf(changes, "SetInvState", [1, 2, 3])) return false;
    if (!oneOf(changes, "AlmRst", [0, 1])) return false;
    if (!within(changes, "SocRsvMax", 0, 100) || !within(changes, "SoCRsvMin", 0, 100)) return false;
    if (this.#isLocal() && (changes.has("SetOp") || changes.has("SetInvState"))) return false;
    this.#isConnected = (changes.get("SetOp") ?? (this.#isConnected ? CONNECT : DISCONNECT)) === CONNECT;
    this.#heartbeat = changes.get("CtrlHb") ?? this.#heartbeat;
    this.#inverterState = changes.get("SetInvState") ?? this.#inverterState;
    this.#reservePercent = {
      SocRsvMax: changes.get("SocRsvMax") ?? this.#reservePercent.SocRsvMax,
      SoCRsvMin: changes.get("SoCRsvMin") ?? this.#reservePercent.SoCRsvMin,
    };
    return true;
  }

  isOn(): boolean {
    return this.#isConnected && this.#inverterState === INVERTER_STARTED;
  }
}
