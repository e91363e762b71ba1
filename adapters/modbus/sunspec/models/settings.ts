// Written by scripts/sunspec-tables.mjs from the facts of github.com/sunspec/models. Do not edit.

import type { ModelTable } from "../model-table.ts";

/** What the installer allows, and the base of the percentages in 123. */
export const settings = {
  ids: [121],
  points: {
    WMax: { offset: 2, type: "uint16", scale: "WMax_SF", unit: "W", writable: true },
    VRef: { offset: 3, type: "uint16", scale: "VRef_SF", unit: "V", writable: true },
    VRefOfs: { offset: 4, type: "int16", scale: "VRefOfs_SF", unit: "V", writable: true },
    VMax: { offset: 5, type: "uint16", scale: "VMinMax_SF", unit: "V", writable: true },
    VMin: { offset: 6, type: "uint16", scale: "VMinMax_SF", unit: "V", writable: true },
    VAMax: { offset: 7, type: "uint16", scale: "VAMax_SF", unit: "VA", writable: true },
    VArMaxQ1: { offset: 8, type: "int16", scale: "VArMax_SF", unit: "var", writable: true },
    VArMaxQ2: { offset: 9, type: "int16", scale: "VArMax_SF", unit: "var", writable: true },
    VArMaxQ3: { offset: 10, type: "int16", scale: "VArMax_SF", unit: "var", writable: true },
    VArMaxQ4: { offset: 11, type: "int16", scale: "VArMax_SF", unit: "var", writable: true },
    WGra: { offset: 12, type: "uint16", scale: "WGra_SF", unit: "% WMax/sec", writable: true },
    PFMinQ1: { offset: 13, type: "int16", scale: "PFMin_SF", unit: "cos()", writable: true },
    PFMinQ2: { offset: 14, type: "int16", scale: "PFMin_SF", unit: "cos()", writable: true },
    PFMinQ3: { offset: 15, type: "int16", scale: "PFMin_SF", unit: "cos()", writable: true },
    PFMinQ4: { offset: 16, type: "int16", scale: "PFMin_SF", unit: "cos()", writable: true },
    VArAct: { offset: 17, type: "enum16", writable: true },
    ClcTotVA: { offset: 18, type: "enum16", writable: true },
    MaxRmpRte: { offset: 19, type: "uint16", scale: "MaxRmpRte_SF", unit: "% WGra", writable: true },
    ECPNomHz: { offset: 20, type: "uint16", scale: "ECPNomHz_SF", unit: "Hz", writable: true },
    ConnPh: { offset: 21, type: "enum16", writable: true },
    WMax_SF: { offset: 22, type: "sunssf" },
    VRef_SF: { offset: 23, type: "sunssf" },
    VRefOfs_SF: { offset: 24, type: "sunssf" },
    VMinMax_SF: { offset: 25, type: "sunssf" },
    VAMax_SF: { offset: 26, type: "sunssf" },
    VArMax_SF: { offset: 27, type: "sunssf" },
    WGra_SF: { offset: 28, type: "sunssf" },
    PFMin_SF: { offset: 29, type: "sunssf" },
    MaxRmpRte_SF: { offset: 30, type: "sunssf" },
    ECPNomHz_SF: { offset: 31, type: "sunssf" },
  },
} as const satisfies ModelTable;
