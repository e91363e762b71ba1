// Written by scripts/sunspec-tables.mjs from the facts of github.com/sunspec/models. Do not edit.

import type { ModelTable } from "../model-table.ts";

/** Basic storage control. */
export const storageControls = {
  ids: [124],
  points: {
    WChaMax: { offset: 2, type: "uint16", scale: "WChaMax_SF", unit: "W", writable: true },
    WChaGra: { offset: 3, type: "uint16", scale: "WChaDisChaGra_SF", unit: "% WChaMax/sec", writable: true },
    WDisChaGra: { offset: 4, type: "uint16", scale: "WChaDisChaGra_SF", unit: "% WChaMax/sec", writable: true },
    StorCtl_Mod: { offset: 5, type: "bitfield16", writable: true },
    VAChaMax: { offset: 6, type: "uint16", scale: "VAChaMax_SF", unit: "VA", writable: true },
    MinRsvPct: { offset: 7, type: "uint16", scale: "MinRsvPct_SF", unit: "% WChaMax", writable: true },
    ChaState: { offset: 8, type: "uint16", scale: "ChaState_SF", unit: "% AhrRtg" },
    StorAval: { offset: 9, type: "uint16", scale: "StorAval_SF", unit: "AH" },
    InBatV: { offset: 10, type: "uint16", scale: "InBatV_SF", unit: "V" },
    ChaSt: { offset: 11, type: "enum16" },
    OutWRte: { offset: 12, type: "int16", scale: "InOutWRte_SF", unit: "% WDisChaMax", writable: true },
    InWRte: { offset: 13, type: "int16", scale: "InOutWRte_SF", unit: "% WChaMax", writable: true },
    InOutWRte_WinTms: { offset: 14, type: "uint16", unit: "Secs", writable: true },
    InOutWRte_RvrtTms: { offset: 15, type: "uint16", unit: "Secs", writable: true },
    InOutWRte_RmpTms: { offset: 16, type: "uint16", unit: "Secs", writable: true },
    ChaGriSet: { offset: 17, type: "enum16", writable: true },
    WChaMax_SF: { offset: 18, type: "sunssf" },
    WChaDisChaGra_SF: { offset: 19, type: "sunssf" },
    VAChaMax_SF: { offset: 20, type: "sunssf" },
    MinRsvPct_SF: { offset: 21, type: "sunssf" },
    ChaState_SF: { offset: 22, type: "sunssf" },
    StorAval_SF: { offset: 23, type: "sunssf" },
    InBatV_SF: { offset: 24, type: "sunssf" },
    InOutWRte_SF: { offset: 25, type: "sunssf" },
  },
} as const satisfies ModelTable;
