// Written by scripts/sunspec-tables.mjs from the facts of github.com/sunspec/models. Do not edit.

import type { ModelTable } from "../model-table.ts";

/** DC inputs, one group each. */
export const mppt = {
  ids: [160],
  points: {
    DCA_SF: { offset: 2, type: "sunssf" },
    DCV_SF: { offset: 3, type: "sunssf" },
    DCW_SF: { offset: 4, type: "sunssf" },
    DCWH_SF: { offset: 5, type: "sunssf" },
    Evt: { offset: 6, type: "bitfield32" },
    N: { offset: 8, type: "count" },
    TmsPer: { offset: 9, type: "uint16" },
  },
  group: {
    name: "module",
    offset: 10,
    size: 20,
    points: {
      ID: { offset: 0, type: "uint16" },
      IDStr: { offset: 1, type: "string", words: 8 },
      DCA: { offset: 9, type: "uint16", scale: "DCA_SF", unit: "A" },
      DCV: { offset: 10, type: "uint16", scale: "DCV_SF", unit: "V" },
      DCW: { offset: 11, type: "uint16", scale: "DCW_SF", unit: "W" },
      DCWH: { offset: 12, type: "acc32", scale: "DCWH_SF", unit: "Wh" },
      Tms: { offset: 14, type: "uint32", unit: "Secs" },
      Tmp: { offset: 16, type: "int16", unit: "C" },
      DCSt: { offset: 17, type: "enum16" },
      DCEvt: { offset: 18, type: "bitfield32" },
    },
  },
} as const satisfies ModelTable;
