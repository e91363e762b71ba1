import type { Model, PointValues } from "../model.ts";
import { type Device, operatingState, scaleThatFits } from "../operating-state.ts";
import type { Measurement } from "../plant.ts";
import type { PointRow } from "../point.ts";

const STATE_ROWS = (offset: number): PointRow[] => [
  ["St", offset, "enum16"],
  ["StVnd", offset + 1, "enum16"],
  ["Evt1", offset + 2, "bitfield32"],
  ["Evt2", offset + 4, "bitfield32"],
  ["EvtVnd1", offset + 6, "bitfield32"],
  ["EvtVnd2", offset + 8, "bitfield32"],
  ["EvtVnd3", offset + 10, "bitfield32"],
  ["EvtVnd4", offset + 12, "bitfield32"],
];

const INTEGER_ROWS: readonly PointRow[] = [
  ["A", 2, "uint16", "A_SF"],
  ["AphA", 3, "uint16", "A_SF"],
  ["AphB", 4, "uint16", "A_SF"],
  ["AphC", 5, "uint16", "A_SF"],
  ["A_SF", 6, "sunssf"],
  ["PPVphAB", 7, "uint16", "V_SF"],
  ["PPVphBC", 8, "uint16", "V_SF"],
  ["PPVphCA", 9, "uint16", "V_SF"],
  ["PhVphA", 10, "uint16", "V_SF"],
  ["PhVphB", 11, "uint16", "V_SF"],
  ["PhVphC", 12, "uint16", "V_SF"],
  ["V_SF", 13, "sunssf"],
  ["W", 14, "int16", "W_SF"],
  ["W_SF", 15, "sunssf"],
  ["Hz", 16, "uint16", "Hz_SF"],
  ["Hz_SF", 17, "sunssf"],
  ["VA", 18, "int16", "VA_SF"],
  ["VA_SF", 19, "sunssf"],
  ["VAr", 20, "int16", "VAr_SF"],
  ["VAr_SF", 21, "sunssf"],
  ["PF", 22, "int16", "PF_SF"],
  ["PF_SF", 23, "sunssf"],
  ["WH", 24, "acc32", "WH_SF"],
  ["WH_SF", 26, "sunssf"],
  ["DCA", 27, "uint16", "DCA_SF"],
  ["DCA_SF", 28, "sunssf"],
  ["DCV", 29, "uint16", "DCV_SF"],
  ["DCV_SF", 30, "sunssf"],
  ["DCW", 31, "int16", "DCW_SF"],
  ["DCW_SF", 32, "sunssf"],
  ["TmpCab", 33, "int16", "Tmp_SF"],
  ["TmpSnk", 34, "int16", "Tmp_SF"],
  ["TmpTrns", 35, "int16", "Tmp_SF"],
  ["TmpOt", 36, "int16", "Tmp_SF"],
  ["Tmp_SF", 37, "sunssf"],
  ...STATE_ROWS(38),
];

const FLOAT_ROWS: readonly PointRow[] = [
  ...[
    ...["A", "AphA", "AphB", "AphC", "PPVphAB", "PPVphBC", "PPVphCA", "PhVphA", "PhVphB", "PhVphC", "W", "Hz", "VA"],
    ...["VAr", "PF", "WH", "DCA", "DCV", "DCW", "TmpCab", "TmpSnk", "TmpTrns", "TmpOt"],
  ].map((name, index): PointRow => [name, 2 + 2 * index, "float32"]),
  ...STATE_ROWS(48),
];

type IntegerId = 101 | 102 | 103;
type FloatId = 111 | 112 | 113;

/** Models 101 to 103: an inverter on one phase, on a split phase, or on three, with whole numbers and scale factors. */
export function integerInverterModel(id: IntegerId, device: Device): Model {
  const ratingW = device.plant.ratingKW * 1000;
  return {
    id,
    rows: INTEGER_ROWS,
    scales: {
      A_SF: scaleThatFits(ratingW / 200, 60_000, -2),
      V_SF: -1,
      W_SF: scaleThatFits(2 * ratingW, 32_767, 1),
      Hz_SF: -2,
      VA_SF: scaleThatFits(2 * ratingW, 32_767, 1),
      VAr_SF: 1,
      PF_SF: -1,
      WH_SF: 0,
      DCV_SF: -1,
      DCW_SF: scaleThatFits(2 * ratingW, 32_767, 1),
      Tmp_SF: -1,
    },
    values: () => measured(device, id - 100),
  };
}

/** Models 111 to 113: the same with floating-point numbers. */
export function floatInverterModel(id: FloatId, device: Device): Model {
  return { id, rows: FLOAT_ROWS, scales: {}, values: () => measured(device, id - 110) };
}

/** W is positive when the device gives out power, so the sign stays. */
function measured(device: Device, wires: number): PointValues {
  const now = device.plant.measure();
  const powerW = now.powerKW * 1000;
  return {
    ...conductors(wires, now),
    W: powerW,
    Hz: now.frequencyHz,
    VA: Math.abs(powerW),
    VAr: 0,
    PF: 100,
    WH: now.exportKWh * 1000,
    DCV: device.plant.dcVoltageV,
    DCW: device.plant.dcPowerKW(now.powerKW) * 1000,
    TmpCab: now.temperatureC,
    St: operatingState(device, now),
    Evt1: 0,
    Evt2: 0,
  };
}

/** Currents as magnitudes, and voltages, of one, two or three conductors; the others do not exist. */
function conductors(wires: number, { powerKW, voltageV }: Measurement): PointValues {
  const currentA = (Math.abs(powerKW) * 1000) / wires / voltageV;
  const names = ["A", "B", "C"].slice(0, wires);
  const between = wires === 1 ? [] : wires === 2 ? ["AB"] : ["AB", "BC", "CA"];
  // A split phase is two halves of one winding, so that their voltages add up; three phases stand apart by a third of a turn.
  const lineVoltageV = voltageV * (wires === 2 ? 2 : Math.sqrt(3));
  return Object.fromEntries([
    ["A", wires * currentA],
    ...names.flatMap((name) => [
      [`Aph${name}`, currentA],
      [`PhVph${name}`, voltageV],
    ]),
    ...between.map((pair) => [`PPVph${pair}`, lineVoltageV]),
  ]);
}
