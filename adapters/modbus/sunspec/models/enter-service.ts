// Written by scripts/sunspec-tables.mjs from the facts of github.com/sunspec/models. Do not edit.

import type { ModelTable } from "../model-table.ts";

/** When a DER may come back to the grid. */
export const enterService = {
  ids: [703],
  points: {
    ES: { offset: 2, type: "enum16", writable: true },
    ESVHi: { offset: 3, type: "uint16", scale: "V_SF", unit: "Pct", writable: true },
    ESVLo: { offset: 4, type: "uint16", scale: "V_SF", unit: "Pct", writable: true },
    ESHzHi: { offset: 5, type: "uint32", scale: "Hz_SF", unit: "Hz", writable: true },
    ESHzLo: { offset: 7, type: "uint32", scale: "Hz_SF", unit: "Hz", writable: true },
    ESDlyTms: { offset: 9, type: "uint32", unit: "Secs", writable: true },
    ESRndTms: { offset: 11, type: "uint32", unit: "Secs", writable: true },
    ESRmpTms: { offset: 13, type: "uint32", unit: "Secs", writable: true },
    ESDlyRemTms: { offset: 15, type: "uint32", unit: "Secs" },
    V_SF: { offset: 17, type: "sunssf" },
    Hz_SF: { offset: 18, type: "sunssf" },
  },
} as const satisfies ModelTable;
