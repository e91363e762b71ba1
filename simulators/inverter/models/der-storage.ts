import type { Model } from "../model.ts";
import { scaleThatFits } from "../operating-state.ts";
import type { Plant } from "../plant.ts";
import type { PointRow } from "../point.ts";

const ROWS: readonly PointRow[] = [
  ["WHRtg", 2, "uint16", "WH_SF"],
  ["WHAvail", 3, "uint16", "WH_SF"],
  ["SoC", 4, "uint16", "Pct_SF"],
  ["SoH", 5, "uint16", "Pct_SF"],
  ["Sta", 6, "enum16"],
  ["WH_SF", 7, "sunssf"],
  ["Pct_SF", 8, "sunssf"],
];

/** Model 713: how much the battery holds. */
export function derStorageModel(plant: Plant): Model {
  const capacityWh = (plant.capacityKWh ?? 0) * 1000;
  return {
    id: 713,
    rows: ROWS,
    scales: { WH_SF: scaleThatFits(capacityWh, 65_534, 1), Pct_SF: -1 },
    values: () => {
      const socPercent = plant.measure().socPercent;
      if (socPercent === undefined) return {};
      return { WHRtg: capacityWh, WHAvail: (capacityWh * socPercent) / 100, SoC: socPercent, SoH: 98, Sta: 0 };
    },
  };
}
