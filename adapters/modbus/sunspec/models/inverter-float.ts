// Written by scripts/sunspec-tables.mjs from the facts of github.com/sunspec/models. Do not edit.

import type { ModelTable } from "../model-table.ts";

/** Inverter of one, two (split) or three phases, floats. */
export const inverterFloat = {
  ids: [111, 112, 113],
  points: {
    A: { offset: 2, type: "float32", unit: "A" },
    AphA: { offset: 4, type: "float32", unit: "A" },
    AphB: { offset: 6, type: "float32", unit: "A" },
    AphC: { offset: 8, type: "float32", unit: "A" },
    PPVphAB: { offset: 10, type: "float32", unit: "V" },
    PPVphBC: { offset: 12, type: "float32", unit: "V" },
    PPVphCA: { offset: 14, type: "float32", unit: "V" },
    PhVphA: { offset: 16, type: "float32", unit: "V" },
    PhVphB: { offset: 18, type: "float32", unit: "V" },
    PhVphC: { offset: 20, type: "float32", unit: "V" },
    W: { offset: 22, type: "float32", unit: "W" },
    Hz: { offset: 24, type: "float32", unit: "Hz" },
    VA: { offset: 26, type: "float32", unit: "VA" },
    VAr: { offset: 28, type: "float32", unit: "var" },
    PF: { offset: 30, type: "float32", unit: "Pct" },
    WH: { offset: 32, type: "float32", unit: "Wh" },
    DCA: { offset: 34, type: "float32", unit: "A" },
    DCV: { offset: 36, type: "float32", unit: "V" },
    DCW: { offset: 38, type: "float32", unit: "W" },
    TmpCab: { offset: 40, type: "float32", unit: "C" },
    TmpSnk: { offset: 42, type: "float32", unit: "C" },
    TmpTrns: { offset: 44, type: "float32", unit: "C" },
    TmpOt: { offset: 46, type: "float32", unit: "C" },
    St: { offset: 48, type: "enum16" },
    StVnd: { offset: 49, type: "enum16" },
    Evt1: { offset: 50, type: "bitfield32" },
    Evt2: { offset: 52, type: "bitfield32" },
    EvtVnd1: { offset: 54, type: "bitfield32" },
    EvtVnd2: { offset: 56, type: "bitfield32" },
    EvtVnd3: { offset: 58, type: "bitfield32" },
    EvtVnd4: { offset: 60, type: "bitfield32" },
  },
} as const satisfies ModelTable;
