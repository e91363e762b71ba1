import type { Model } from "../model.ts";
import { scaleThatFits } from "../operating-state.ts";
import type { Plant } from "../plant.ts";
import type { PointRow } from "../point.ts";
import { writeWMax } from "./settings.ts";

// As in model 121 only WMax is open.
const ROWS: readonly PointRow[] = [
  ["WMaxRtg", 2, "uint16", "W_SF"],
  ["WOvrExtRtg", 3, "uint16", "W_SF"],
  ["WOvrExtRtgPF", 4, "uint16", "PF_SF"],
  ["WUndExtRtg", 5, "uint16", "W_SF"],
  ["WUndExtRtgPF", 6, "uint16", "PF_SF"],
  ["VAMaxRtg", 7, "uint16", "VA_SF"],
  ["VarMaxInjRtg", 8, "uint16", "Var_SF"],
  ["VarMaxAbsRtg", 9, "uint16", "Var_SF"],
  ["WChaRteMaxRtg", 10, "uint16", "W_SF"],
  ["WDisChaRteMaxRtg", 11, "uint16", "W_SF"],
  ["VAChaRteMaxRtg", 12, "uint16", "VA_SF"],
  ["VADisChaRteMaxRtg", 13, "uint16", "VA_SF"],
  ["VNomRtg", 14, "uint16", "V_SF"],
  ["VMaxRtg", 15, "uint16", "V_SF"],
  ["VMinRtg", 16, "uint16", "V_SF"],
  ["AMaxRtg", 17, "uint16", "A_SF"],
  ["PFOvrExtRtg", 18, "uint16", "PF_SF"],
  ["PFUndExtRtg", 19, "uint16", "PF_SF"],
  ["ReactSusceptRtg", 20, "uint16", "S_SF"],
  ["NorOpCatRtg", 21, "enum16"],
  ["AbnOpCatRtg", 22, "enum16"],
  ["CtrlModes", 23, "bitfield32"],
  ["IntIslandCatRtg", 25, "bitfield16"],
  ["WMax", 26, "uint16", "W_SF", "RW"],
  ["WMaxOvrExt", 27, "uint16", "W_SF"],
  ["WOvrExtPF", 28, "uint16", "PF_SF"],
  ["WMaxUndExt", 29, "uint16", "W_SF"],
  ["WUndExtPF", 30, "uint16", "PF_SF"],
  ["VAMax", 31, "uint16", "VA_SF"],
  ["VarMaxInj", 32, "uint16", "Var_SF"],
  ["VarMaxAbs", 33, "uint16", "Var_SF"],
  ["WChaRteMax", 34, "uint16", "W_SF"],
  ["WDisChaRteMax", 35, "uint16", "W_SF"],
  ["VAChaRteMax", 36, "uint16", "VA_SF"],
  ["VADisChaRteMax", 37, "uint16", "VA_SF"],
  ["VNom", 38, "uint16", "V_SF"],
  ["VMax", 39, "uint16", "V_SF"],
  ["VMin", 40, "uint16", "V_SF"],
  ["AMax", 41, "uint16", "A_SF"],
  ["PFOvrExt", 42, "uint16", "PF_SF"],
  ["PFUndExt", 43, "uint16", "PF_SF"],
  ["IntIslandCat", 44, "bitfield16"],
  ["W_SF", 45, "sunssf"],
  ["PF_SF", 46, "sunssf"],
  ["VA_SF", 47, "sunssf"],
  ["Var_SF", 48, "sunssf"],
  ["V_SF", 49, "sunssf"],
  ["A_SF", 50, "sunssf"],
  ["S_SF", 51, "sunssf"],
];

const MAX_WATTS_AND_FIXED_WATTS = 0b0011;
/** Reactive power as a part of the rating, and the power factor at which it is reached. */
const VAR_SHARE = 0.5;
const LEAST_POWER_FACTOR = 0.8;

/** Model 702: ratings and settings of a device by IEEE 1547-2018. */
export function derCapacityModel(plant: Plant): Model {
  const ratingW = plant.ratingKW * 1000;
  const storage = plant.isBattery
    ? {
        WChaRteMaxRtg: plant.maxChargeKW * 1000,
        WDisChaRteMaxRtg: plant.maxDischargeKW * 1000,
        WChaRteMax: plant.maxChargeKW * 1000,
        WDisChaRteMax: plant.maxDischargeKW * 1000,
      }
    : {};
  return {
    id: 702,
    rows: ROWS,
    scales: {
      W_SF: scaleThatFits(ratingW, 65_534, 1),
      PF_SF: -3,
      VA_SF: scaleThatFits(ratingW, 65_534, 1),
      Var_SF: scaleThatFits(ratingW, 65_534, 1),
      V_SF: -1,
      A_SF: -1,
    },
    values: () => ({
      WMaxRtg: ratingW,
      VAMaxRtg: ratingW,
      VarMaxInjRtg: VAR_SHARE * ratingW,
      VarMaxAbsRtg: VAR_SHARE * ratingW,
      PFOvrExtRtg: LEAST_POWER_FACTOR,
      PFUndExtRtg: LEAST_POWER_FACTOR,
      VNomRtg: 230,
      AMaxRtg: ratingW / 3 / 230,
      NorOpCatRtg: 1,
      AbnOpCatRtg: 2,
      CtrlModes: MAX_WATTS_AND_FIXED_WATTS,
      WMax: plant.wMaxKW * 1000,
      VAMax: ratingW,
      VarMaxInj: VAR_SHARE * ratingW,
      VarMaxAbs: VAR_SHARE * ratingW,
      PFOvrExt: LEAST_POWER_FACTOR,
      PFUndExt: LEAST_POWER_FACTOR,
      VNom: 230,
      AMax: ratingW / 3 / 230,
      ...storage,
    }),
    write: (changes) => writeWMax(plant, changes),
  };
}
