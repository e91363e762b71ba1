import type { Model } from "../model.ts";
import { scaleThatFits } from "../operating-state.ts";
import type { Plant } from "../plant.ts";
import type { PointRow } from "../point.ts";

const ROWS: readonly PointRow[] = [
  ["DERTyp", 2, "enum16"],
  ["WRtg", 3, "uint16", "WRtg_SF"],
  ["WRtg_SF", 4, "sunssf"],
  ["VARtg", 5, "uint16", "VARtg_SF"],
  ["VARtg_SF", 6, "sunssf"],
  ["VArRtgQ1", 7, "int16", "VArRtg_SF"],
  ["VArRtgQ2", 8, "int16", "VArRtg_SF"],
  ["VArRtgQ3", 9, "int16", "VArRtg_SF"],
  ["VArRtgQ4", 10, "int16", "VArRtg_SF"],
  ["VArRtg_SF", 11, "sunssf"],
  ["ARtg", 12, "uint16", "ARtg_SF"],
  ["ARtg_SF", 13, "sunssf"],
  ["PFRtgQ1", 14, "int16", "PFRtg_SF"],
  ["PFRtgQ2", 15, "int16", "PFRtg_SF"],
  ["PFRtgQ3", 16, "int16", "PFRtg_SF"],
  ["PFRtgQ4", 17, "int16", "PFRtg_SF"],
  ["PFRtg_SF", 18, "sunssf"],
  ["WHRtg", 19, "uint16", "WHRtg_SF"],
  ["WHRtg_SF", 20, "sunssf"],
  ["AhrRtg", 21, "uint16", "AhrRtg_SF"],
  ["AhrRtg_SF", 22, "sunssf"],
  ["MaxChaRte", 23, "uint16", "MaxChaRte_SF"],
  ["MaxChaRte_SF", 24, "sunssf"],
  ["MaxDisChaRte", 25, "uint16", "MaxDisChaRte_SF"],
  ["MaxDisChaRte_SF", 26, "sunssf"],
  ["Pad", 27, "pad"],
];

const PV = 4;
const PV_WITH_STORAGE = 82;

/** Model 120: what the device is built for. The storage points are there only with a battery. */
export function nameplateModel(plant: Plant): Model {
  const ratingW = plant.ratingKW * 1000;
  const storage = plant.isBattery
    ? {
        WHRtg: (plant.capacityKWh ?? 0) * 1000,
        MaxChaRte: plant.maxChargeKW * 1000,
        MaxDisChaRte: plant.maxDischargeKW * 1000,
      }
    : {};
  return {
    id: 120,
    rows: ROWS,
    scales: {
      WRtg_SF: scaleThatFits(ratingW, 65_534, 1),
      VARtg_SF: scaleThatFits(ratingW, 65_534, 1),
      VArRtg_SF: scaleThatFits(ratingW, 32_767, 1),
      ARtg_SF: -1,
      PFRtg_SF: -3,
      ...(plant.isBattery
        ? {
            WHRtg_SF: scaleThatFits((plant.capacityKWh ?? 0) * 1000, 65_534, 1),
            MaxChaRte_SF: scaleThatFits(ratingW, 65_534, 1),
            MaxDisChaRte_SF: scaleThatFits(ratingW, 65_534, 1),
          }
        : {}),
    },
    values: () => ({
      DERTyp: plant.isBattery ? PV_WITH_STORAGE : PV,
      WRtg: ratingW,
      VARtg: ratingW,
      VArRtgQ1: ratingW / 2,
      VArRtgQ4: -ratingW / 2,
      ARtg: ratingW / 3 / 230,
      PFRtgQ1: 0.8,
      PFRtgQ4: -0.8,
      ...storage,
    }),
  };
}
