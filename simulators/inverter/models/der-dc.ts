import type { Model } from "../model.ts";
import { scaleThatFits } from "../operating-state.ts";
import type { Plant } from "../plant.ts";
import type { PointRow } from "../point.ts";

const ROWS: readonly PointRow[] = [
  ["PrtAlrms", 2, "bitfield32"],
  ["NPrt", 4, "uint16"],
  ["DCA", 5, "int16", "DCA_SF"],
  ["DCW", 6, "int16", "DCW_SF"],
  ["DCWhInj", 7, "uint64", "DCWH_SF"],
  ["DCWhAbs", 11, "uint64", "DCWH_SF"],
  ["DCA_SF", 15, "sunssf"],
  ["DCV_SF", 16, "sunssf"],
  ["DCW_SF", 17, "sunssf"],
  ["DCWH_SF", 18, "sunssf"],
  ["Tmp_SF", 19, "sunssf"],
  ["1.PrtTyp", 20, "enum16"],
  ["1.ID", 21, "uint16"],
  ["1.IDStr", 22, "string8"],
  ["1.DCA", 30, "int16", "DCA_SF"],
  ["1.DCV", 31, "uint16", "DCV_SF"],
  ["1.DCW", 32, "int16", "DCW_SF"],
  ["1.DCWhInj", 33, "uint64", "DCWH_SF"],
  ["1.DCWhAbs", 37, "uint64", "DCWH_SF"],
  ["1.Tmp", 41, "int16", "Tmp_SF"],
  ["1.DCSta", 42, "enum16"],
  ["1.DCAlrm", 43, "bitfield32"],
];

const PANELS = 0;
const STORAGE = 1;
const ON = 1;

/** Model 714: the DC side by IEEE 1547-2018, with one port. Positive is out of panels or cells. */
export function derDcModel(plant: Plant): Model {
  return {
    id: 714,
    rows: ROWS,
    scales: {
      DCA_SF: scaleThatFits(10 * plant.ratingKW, 32_767, -2),
      DCV_SF: -1,
      DCW_SF: scaleThatFits(2000 * plant.ratingKW, 32_767, 0),
      DCWH_SF: 0,
      Tmp_SF: -1,
    },
    values: () => {
      const now = plant.measure();
      const powerW = plant.dcPowerKW(now.powerKW) * 1000;
      const flow = {
        DCA: powerW / plant.dcVoltageV,
        DCW: powerW,
        DCWhInj: now.exportKWh * 1000,
        DCWhAbs: now.importKWh * 1000,
      };
      return {
        PrtAlrms: 0,
        NPrt: 1,
        ...flow,
        ...Object.fromEntries(Object.entries(flow).map(([name, value]) => [`1.${name}`, value])),
        "1.PrtTyp": plant.isBattery ? STORAGE : PANELS,
        "1.ID": 1,
        "1.IDStr": plant.isBattery ? "Cells" : "Panels",
        "1.DCV": plant.dcVoltageV,
        "1.Tmp": now.temperatureC,
        "1.DCSta": ON,
        "1.DCAlrm": 0,
      };
    },
  };
}
