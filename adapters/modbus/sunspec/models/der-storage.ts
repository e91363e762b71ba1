// Written by scripts/sunspec-tables.mjs from the facts of github.com/sunspec/models. Do not edit.

import type { ModelTable } from "../model-table.ts";

/** Storage of a DER. */
export const derStorage = {
  ids: [713],
  points: {
    WHRtg: { offset: 2, type: "uint16", scale: "WH_SF", unit: "WH" },
    WHAvail: { offset: 3, type: "uint16", scale: "WH_SF", unit: "WH" },
    SoC: { offset: 4, type: "uint16", scale: "Pct_SF", unit: "Pct" },
    SoH: { offset: 5, type: "uint16", scale: "Pct_SF", unit: "Pct" },
    Sta: { offset: 6, type: "enum16" },
    WH_SF: { offset: 7, type: "sunssf" },
    Pct_SF: { offset: 8, type: "sunssf" },
  },
} as const satisfies ModelTable;
