import type { Model } from "../model.ts";
import { type Device, operatingState, scaleThatFits } from "../operating-state.ts";
import type { PointRow } from "../point.ts";

/** The points that each phase has, offsets from its first. */
const phaseRows = (phase: 1 | 2 | 3, start: number): PointRow[] => {
  const next = (phase % 3) + 1;
  return [
    [`WL${phase}`, start, "int16", "W_SF"],
    [`VAL${phase}`, start + 1, "int16", "VA_SF"],
    [`VarL${phase}`, start + 2, "int16", "Var_SF"],
    [`PFL${phase}`, start + 3, "int16", "PF_SF"],
    [`AL${phase}`, start + 4, "int16", "A_SF"],
    [`VL${phase}L${next}`, start + 5, "uint16", "V_SF"],
    [`VL${phase}`, start + 6, "uint16", "V_SF"],
    [`TotWhInjL${phase}`, start + 7, "uint64", "TotWh_SF"],
    [`TotWhAbsL${phase}`, start + 11, "uint64", "TotWh_SF"],
    [`TotVarhInjL${phase}`, start + 15, "uint64", "TotVarh_SF"],
    [`TotVarhAbsL${phase}`, start + 19, "uint64", "TotVarh_SF"],
  ];
};

const ROWS: readonly PointRow[] = [
  ["ACType", 2, "enum16"],
  ["St", 3, "enum16"],
  ["InvSt", 4, "enum16"],
  ["ConnSt", 5, "enum16"],
  ["Alrm", 6, "bitfield32"],
  ["DERMode", 8, "bitfield32"],
  ["W", 10, "int16", "W_SF"],
  ["VA", 11, "int16", "VA_SF"],
  ["Var", 12, "int16", "Var_SF"],
  ["PF", 13, "int16", "PF_SF"],
  ["A", 14, "int16", "A_SF"],
  ["LLV", 15, "uint16", "V_SF"],
  ["LNV", 16, "uint16", "V_SF"],
  ["Hz", 17, "uint32", "Hz_SF"],
  ["TotWhInj", 19, "uint64", "TotWh_SF"],
  ["TotWhAbs", 23, "uint64", "TotWh_SF"],
  ["TotVarhInj", 27, "uint64", "TotVarh_SF"],
  ["TotVarhAbs", 31, "uint64", "TotVarh_SF"],
  ["TmpAmb", 35, "int16", "Tmp_SF"],
  ["TmpCab", 36, "int16", "Tmp_SF"],
  ["TmpSnk", 37, "int16", "Tmp_SF"],
  ["TmpTrns", 38, "int16", "Tmp_SF"],
  ["TmpSw", 39, "int16", "Tmp_SF"],
  ["TmpOt", 40, "int16", "Tmp_SF"],
  ...phaseRows(1, 41),
  ...phaseRows(2, 64),
  ...phaseRows(3, 87),
  ["ThrotPct", 110, "uint16"],
  ["ThrotSrc", 111, "bitfield32"],
  ["A_SF", 113, "sunssf"],
  ["V_SF", 114, "sunssf"],
  ["Hz_SF", 115, "sunssf"],
  ["W_SF", 116, "sunssf"],
  ["PF_SF", 117, "sunssf"],
  ["VA_SF", 118, "sunssf"],
  ["Var_SF", 119, "sunssf"],
  ["TotWh_SF", 120, "sunssf"],
  ["TotVarh_SF", 121, "sunssf"],
  ["Tmp_SF", 122, "sunssf"],
  ["MnAlrmInfo", 123, "string32"],
];

const THREE_PHASE = 2;
const GRID_FOLLOWING = 0b0001;

/** Model 701: measurement of a device by IEEE 1547-2018. W is positive for generation. */
export function derMeasurementModel(device: Device, throttleSources: () => number): Model {
  const ratingW = device.plant.ratingKW * 1000;
  return {
    id: 701,
    rows: ROWS,
    scales: {
      A_SF: scaleThatFits(ratingW / 100, 32_767, -2),
      V_SF: -1,
      Hz_SF: -3,
      W_SF: scaleThatFits(2 * ratingW, 32_767, 0),
      PF_SF: -3,
      VA_SF: scaleThatFits(2 * ratingW, 32_767, 0),
      Var_SF: 0,
      TotWh_SF: 0,
      Tmp_SF: -1,
    },
    values: () => {
      const now = device.plant.measure();
      const powerW = now.powerKW * 1000;
      const sign = powerW < 0 ? -1 : 1;
      const lineVoltageV = now.voltageV * Math.sqrt(3);
      const eachPhase = {
        W: powerW / 3,
        VA: Math.abs(powerW) / 3,
        Var: 0,
        PF: 1,
        A: sign * now.currentA,
        LL: lineVoltageV,
        LN: now.voltageV,
      };
      const phases = Object.fromEntries(
        [1, 2, 3].flatMap((phase) => [
          [`WL${phase}`, eachPhase.W],
          [`VAL${phase}`, eachPhase.VA],
          [`VarL${phase}`, eachPhase.Var],
          [`PFL${phase}`, eachPhase.PF],
          [`AL${phase}`, eachPhase.A],
          [`VL${phase}L${(phase % 3) + 1}`, eachPhase.LL],
          [`VL${phase}`, eachPhase.LN],
        ]),
      );
      const sources = throttleSources();
      const heldBackKW = sources === 0 ? 0 : Math.max(0, now.availableKW - now.powerKW);
      return {
        ...phases,
        ACType: THREE_PHASE,
        St: device.isConnected() ? 1 : 0,
        // This model counts the states from 0, the 10x models from 1.
        InvSt: operatingState(device, now) - 1,
        ConnSt: device.isConnected() ? 1 : 0,
        Alrm: 0,
        DERMode: GRID_FOLLOWING,
        W: powerW,
        VA: Math.abs(powerW),
        Var: 0,
        PF: 1,
        A: 3 * eachPhase.A,
        LLV: lineVoltageV,
        LNV: now.voltageV,
        Hz: now.frequencyHz,
        TotWhInj: now.exportKWh * 1000,
        TotWhAbs: now.importKWh * 1000,
        TmpCab: now.temperatureC,
        ThrotPct: Math.min(100, Math.round((100 * heldBackKW) / device.plant.wMaxKW)),
        ThrotSrc: sources,
      };
    },
  };
}
