// Written by scripts/sunspec-tables.mjs from the facts of github.com/sunspec/models. Do not edit.

import type { ModelTable } from "../model-table.ts";

/** Extended status: what the sun would give, which controls are active. */
export const status = {
  ids: [122],
  points: {
    PVConn: { offset: 2, type: "bitfield16" },
    StorConn: { offset: 3, type: "bitfield16" },
    ECPConn: { offset: 4, type: "bitfield16" },
    ActWh: { offset: 5, type: "acc64", unit: "Wh" },
    ActVAh: { offset: 9, type: "acc64", unit: "VAh" },
    ActVArhQ1: { offset: 13, type: "acc64", unit: "varh" },
    ActVArhQ2: { offset: 17, type: "acc64", unit: "varh" },
    ActVArhQ3: { offset: 21, type: "acc64", unit: "varh" },
    ActVArhQ4: { offset: 25, type: "acc64", unit: "varh" },
    VArAval: { offset: 29, type: "int16", scale: "VArAval_SF", unit: "var" },
    VArAval_SF: { offset: 30, type: "sunssf" },
    WAval: { offset: 31, type: "uint16", scale: "WAval_SF", unit: "var" },
    WAval_SF: { offset: 32, type: "sunssf" },
    StSetLimMsk: { offset: 33, type: "bitfield32" },
    StActCtl: { offset: 35, type: "bitfield32" },
    TmSrc: { offset: 37, type: "string", words: 4 },
    Tms: { offset: 41, type: "uint32", unit: "Secs" },
    RtSt: { offset: 43, type: "bitfield16" },
    Ris: { offset: 44, type: "uint16", scale: "Ris_SF", unit: "ohms" },
    Ris_SF: { offset: 45, type: "sunssf" },
  },
} as const satisfies ModelTable;
