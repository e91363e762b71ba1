import type { Changes, Model } from "../model.ts";
import { scaleThatFits } from "../operating-state.ts";
import type { Plant } from "../plant.ts";
import type { PointRow } from "../point.ts";

// Only WMax is open; the other settings are behind the installer's code, as they are on most devices.
const ROWS: readonly PointRow[] = [
  ["WMax", 2, "uint16", "WMax_SF", "RW"],
  ["VRef", 3, "uint16", "VRef_SF"],
  ["VRefOfs", 4, "int16", "VRefOfs_SF"],
  ["VMax", 5, "uint16", "VMinMax_SF"],
  ["VMin", 6, "uint16", "VMinMax_SF"],
  ["VAMax", 7, "uint16", "VAMax_SF"],
  ["VArMaxQ1", 8, "int16", "VArMax_SF"],
  ["VArMaxQ2", 9, "int16", "VArMax_SF"],
  ["VArMaxQ3", 10, "int16", "VArMax_SF"],
  ["VArMaxQ4", 11, "int16", "VArMax_SF"],
  ["WGra", 12, "uint16", "WGra_SF"],
  ["PFMinQ1", 13, "int16", "PFMin_SF"],
  ["PFMinQ2", 14, "int16", "PFMin_SF"],
  ["PFMinQ3", 15, "int16", "PFMin_SF"],
  ["PFMinQ4", 16, "int16", "PFMin_SF"],
  ["VArAct", 17, "enum16"],
  ["ClcTotVA", 18, "enum16"],
  ["MaxRmpRte", 19, "uint16", "MaxRmpRte_SF"],
  ["ECPNomHz", 20, "uint16", "ECPNomHz_SF"],
  ["ConnPh", 21, "enum16"],
  ["WMax_SF", 22, "sunssf"],
  ["VRef_SF", 23, "sunssf"],
  ["VRefOfs_SF", 24, "sunssf"],
  ["VMinMax_SF", 25, "sunssf"],
  ["VAMax_SF", 26, "sunssf"],
  ["VArMax_SF", 27, "sunssf"],
  ["WGra_SF", 28, "sunssf"],
  ["PFMin_SF", 29, "sunssf"],
  ["MaxRmpRte_SF", 30, "sunssf"],
  ["ECPNomHz_SF", 31, "sunssf"],
];

/** Model 121: what the installer set. WMax is what the percentages of 123 refer to. */
export function settingsModel(plant: Plant): Model {
  const ratingW = plant.ratingKW * 1000;
  return {
    id: 121,
    rows: ROWS,
    scales: {
      WMax_SF: scaleThatFits(ratingW, 65_534, 1),
      VRef_SF: 0,
      VRefOfs_SF: 0,
      VAMax_SF: scaleThatFits(ratingW, 65_534, 1),
      ECPNomHz_SF: 0,
    },
    values: () => ({
      WMax: plant.wMaxKW * 1000,
      VRef: 230,
      VRefOfs: 0,
      VAMax: ratingW,
      ECPNomHz: 50,
      ConnPh: 1,
    }),
    write: (changes) => writeWMax(plant, changes),
  };
}

/** Takes a new WMax of up to the rating, W. */
export function writeWMax(plant: Plant, changes: Changes): boolean {
  const watts = changes.get("WMax");
  if (watts === undefined) return true;
  if (watts <= 0 || watts > plant.ratingKW * 1000) return false;
  plant.wMaxKW = watts / 1000;
  return true;
}
