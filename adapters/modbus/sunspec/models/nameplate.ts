// Written by scripts/sunspec-tables.mjs from the facts of github.com/sunspec/models. Do not edit.

import type { ModelTable } from "../model-table.ts";

/** What the hardware was built for. */
export const nameplate = {
  ids: [120],
  points: {
    DERTyp: { offset: 2, type: "enum16" },
    WRtg: { offset: 3, type: "uint16", scale: "WRtg_SF", unit: "W" },
    WRtg_SF: { offset: 4, type: "sunssf" },
    VARtg: { offset: 5, type: "uint16", scale: "VARtg_SF", unit: "VA" },
    VARtg_SF: { offset: 6, type: "sunssf" },
    VArRtgQ1: { offset: 7, type: "int16", scale: "VArRtg_SF", unit: "var" },
    VArRtgQ2: { offset: 8, type: "int16", scale: "VArRtg_SF", unit: "var" },
    VArRtgQ3: { offset: 9, type: "int16", scale: "VArRtg_SF", unit: "var" },
    VArRtgQ4: { offset: 10, type: "int16", scale: "VArRtg_SF", unit: "var" },
    VArRtg_SF: { offset: 11, type: "sunssf" },
    ARtg: { offset: 12, type: "uint16", scale: "ARtg_SF", unit: "A" },
    ARtg_SF: { offset: 13, type: "sunssf" },
    PFRtgQ1: { offset: 14, type: "int16", scale: "PFRtg_SF", unit: "cos()" },
    PFRtgQ2: { offset: 15, type: "int16", scale: "PFRtg_SF", unit: "cos()" },
    PFRtgQ3: { offset: 16, type: "int16", scale: "PFRtg_SF", unit: "cos()" },
    PFRtgQ4: { offset: 17, type: "int16", scale: "PFRtg_SF", unit: "cos()" },
    PFRtg_SF: { offset: 18, type: "sunssf" },
    WHRtg: { offset: 19, type: "uint16", scale: "WHRtg_SF", unit: "Wh" },
    WHRtg_SF: { offset: 20, type: "sunssf" },
    AhrRtg: { offset: 21, type: "uint16", scale: "AhrRtg_SF", unit: "AH" },
    AhrRtg_SF: { offset: 22, type: "sunssf" },
    MaxChaRte: { offset: 23, type: "uint16", scale: "MaxChaRte_SF", unit: "W" },
    MaxChaRte_SF: { offset: 24, type: "sunssf" },
    MaxDisChaRte: { offset: 25, type: "uint16", scale: "MaxDisChaRte_SF", unit: "W" },
    MaxDisChaRte_SF: { offset: 26, type: "sunssf" },
  },
} as const satisfies ModelTable;
