// Written by scripts/sunspec-tables.mjs from the facts of github.com/sunspec/models. Do not edit.

import type { ModelTable } from "../model-table.ts";

/** Immediate controls. Writing 0 to `Conn` disconnects the plant. */
export const immediateControls = {
  ids: [123],
  points: {
    Conn_WinTms: { offset: 2, type: "uint16", unit: "Secs", writable: true },
    Conn_RvrtTms: { offset: 3, type: "uint16", unit: "Secs", writable: true },
    Conn: { offset: 4, type: "enum16", writable: true },
    WMaxLimPct: { offset: 5, type: "uint16", scale: "WMaxLimPct_SF", unit: "% WMax", writable: true },
    WMaxLimPct_WinTms: { offset: 6, type: "uint16", unit: "Secs", writable: true },
    WMaxLimPct_RvrtTms: { offset: 7, type: "uint16", unit: "Secs", writable: true },
    WMaxLimPct_RmpTms: { offset: 8, type: "uint16", unit: "Secs", writable: true },
    WMaxLim_Ena: { offset: 9, type: "enum16", writable: true },
    OutPFSet: { offset: 10, type: "int16", scale: "OutPFSet_SF", unit: "cos()", writable: true },
    OutPFSet_WinTms: { offset: 11, type: "uint16", unit: "Secs", writable: true },
    OutPFSet_RvrtTms: { offset: 12, type: "uint16", unit: "Secs", writable: true },
    OutPFSet_RmpTms: { offset: 13, type: "uint16", unit: "Secs", writable: true },
    OutPFSet_Ena: { offset: 14, type: "enum16", writable: true },
    VArWMaxPct: { offset: 15, type: "int16", scale: "VArPct_SF", unit: "% WMax", writable: true },
    VArMaxPct: { offset: 16, type: "int16", scale: "VArPct_SF", unit: "% VArMax", writable: true },
    VArAvalPct: { offset: 17, type: "int16", scale: "VArPct_SF", unit: "% VArAval", writable: true },
    VArPct_WinTms: { offset: 18, type: "uint16", unit: "Secs", writable: true },
    VArPct_RvrtTms: { offset: 19, type: "uint16", unit: "Secs", writable: true },
    VArPct_RmpTms: { offset: 20, type: "uint16", unit: "Secs", writable: true },
    VArPct_Mod: { offset: 21, type: "enum16", writable: true },
    VArPct_Ena: { offset: 22, type: "enum16", writable: true },
    WMaxLimPct_SF: { offset: 23, type: "sunssf" },
    OutPFSet_SF: { offset: 24, type: "sunssf" },
    VArPct_SF: { offset: 25, type: "sunssf" },
  },
} as const satisfies ModelTable;
