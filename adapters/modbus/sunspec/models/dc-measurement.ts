// Written by scripts/sunspec-tables.mjs from the facts of github.com/sunspec/models. Do not edit.

import type { ModelTable } from "../model-table.ts";

/** DC ports of a DER, one group each. */
export const dcMeasurement = {
  ids: [714],
  points: {
    PrtAlrms: { offset: 2, type: "bitfield32" },
    NPrt: { offset: 4, type: "uint16" },
    DCA: { offset: 5, type: "int16", scale: "DCA_SF", unit: "A" },
    DCW: { offset: 6, type: "int16", scale: "DCW_SF", unit: "W" },
    DCWhInj: { offset: 7, type: "uint64", scale: "DCWH_SF", unit: "Wh" },
    DCWhAbs: { offset: 11, type: "uint64", scale: "DCWH_SF", unit: "Wh" },
    DCA_SF: { offset: 15, type: "sunssf" },
    DCV_SF: { offset: 16, type: "sunssf" },
    DCW_SF: { offset: 17, type: "sunssf" },
    DCWH_SF: { offset: 18, type: "sunssf" },
    Tmp_SF: { offset: 19, type: "sunssf" },
  },
  group: {
    name: "Prt",
    offset: 20,
    size: 25,
    count: "NPrt",
    points: {
      PrtTyp: { offset: 0, type: "enum16" },
      ID: { offset: 1, type: "uint16" },
      IDStr: { offset: 2, type: "string", words: 8 },
      DCA: { offset: 10, type: "int16", scale: "DCA_SF", unit: "A" },
      DCV: { offset: 11, type: "uint16", scale: "DCV_SF", unit: "V" },
      DCW: { offset: 12, type: "int16", scale: "DCW_SF", unit: "W" },
      DCWhInj: { offset: 13, type: "uint64", scale: "DCWH_SF", unit: "Wh" },
      DCWhAbs: { offset: 17, type: "uint64", scale: "DCWH_SF", unit: "Wh" },
      Tmp: { offset: 21, type: "int16", scale: "Tmp_SF", unit: "C" },
      DCSta: { offset: 22, type: "enum16" },
      DCAlrm: { offset: 23, type: "bitfield32" },
    },
  },
} as const satisfies ModelTable;
