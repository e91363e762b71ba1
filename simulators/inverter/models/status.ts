import type { Clock } from "../../../src/clock.ts";
import type { Model } from "../model.ts";
import { type Device, scaleThatFits } from "../operating-state.ts";
import type { PointRow } from "../point.ts";

const ROWS: readonly PointRow[] = [
  ["PVConn", 2, "bitfield16"],
  ["StorConn", 3, "bitfield16"],
  ["ECPConn", 4, "bitfield16"],
  ["ActWh", 5, "acc64"],
  ["ActVAh", 9, "acc64"],
  ["ActVArhQ1", 13, "acc64"],
  ["ActVArhQ2", 17, "acc64"],
  ["ActVArhQ3", 21, "acc64"],
  ["ActVArhQ4", 25, "acc64"],
  ["VArAval", 29, "int16", "VArAval_SF"],
  ["VArAval_SF", 30, "sunssf"],
  ["WAval", 31, "uint16", "WAval_SF"],
  ["WAval_SF", 32, "sunssf"],
  ["StSetLimMsk", 33, "bitfield32"],
  ["StActCtl", 35, "bitfield32"],
  ["TmSrc", 37, "string4"],
  ["Tms", 41, "uint32"],
  ["RtSt", 43, "bitfield16"],
  ["Ris", 44, "uint16", "Ris_SF"],
  ["Ris_SF", 45, "sunssf"],
];

const CONNECTED_AVAILABLE_OPERATING = 0b0111;
const FIXED_WATTS = 0b0001;
const MILLENNIUM_MS = Date.UTC(2000, 0, 1);

/** Model 122: what the device is doing, and which controls are active. */
export function statusModel(device: Device, clock: Clock): Model {
  const { plant } = device;
  const connection = () => (device.isConnected() ? CONNECTED_AVAILABLE_OPERATING : 0);
  return {
    id: 122,
    rows: ROWS,
    scales: { WAval_SF: scaleThatFits(plant.ratingKW * 1000, 65_534, 1) },
    values: () => {
      const now = plant.measure();
      return {
        PVConn: plant.isBattery ? 0 : connection(),
        StorConn: plant.isBattery ? connection() : 0,
        ECPConn: device.isConnected() ? 1 : 0,
        ActWh: now.exportKWh * 1000,
        WAval: now.availableKW * 1000,
        StActCtl: device.isControlled() && device.isConnected() ? FIXED_WATTS : 0,
        TmSrc: "RTC",
        Tms: (clock.now() - MILLENNIUM_MS) / 1000,
      };
    },
  };
}
