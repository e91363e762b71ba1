import type { ModelTable } from "./model-table.ts";

// Offsets, types and scale points follow the definitions published in github.com/sunspec/models; a test compares them.

/** Who made it. */
export const common = {
  ids: [1],
  points: {
    Mn: { offset: 2, type: "string", words: 16 },
    Md: { offset: 18, type: "string", words: 16 },
    Vr: { offset: 42, type: "string", words: 8 },
    SN: { offset: 50, type: "string", words: 16 },
  },
} as const satisfies ModelTable;

/** Inverter with integers and scale factors: one phase, split phase, three phases. */
export const inverterInteger = {
  ids: [101, 102, 103],
  points: {
    AphA: { offset: 3, type: "uint16", scale: "A_SF" },
    AphB: { offset: 4, type: "uint16", scale: "A_SF" },
    AphC: { offset: 5, type: "uint16", scale: "A_SF" },
    A_SF: { offset: 6, type: "sunssf" },
    PhVphA: { offset: 10, type: "uint16", scale: "V_SF" },
    PhVphB: { offset: 11, type: "uint16", scale: "V_SF" },
    PhVphC: { offset: 12, type: "uint16", scale: "V_SF" },
    V_SF: { offset: 13, type: "sunssf" },
    W: { offset: 14, type: "int16", scale: "W_SF" },
    W_SF: { offset: 15, type: "sunssf" },
    Hz: { offset: 16, type: "uint16", scale: "Hz_SF" },
    Hz_SF: { offset: 17, type: "sunssf" },
    WH: { offset: 24, type: "acc32", scale: "WH_SF" },
    WH_SF: { offset: 26, type: "sunssf" },
    TmpCab: { offset: 33, type: "int16", scale: "Tmp_SF" },
    Tmp_SF: { offset: 37, type: "sunssf" },
  },
} as const satisfies ModelTable;

/** The same with floating point numbers. */
export const inverterFloat = {
  ids: [111, 112, 113],
  points: {
    AphA: { offset: 4, type: "float32" },
    AphB: { offset: 6, type: "float32" },
    AphC: { offset: 8, type: "float32" },
    PhVphA: { offset: 16, type: "float32" },
    PhVphB: { offset: 18, type: "float32" },
    PhVphC: { offset: 20, type: "float32" },
    W: { offset: 22, type: "float32" },
    Hz: { offset: 24, type: "float32" },
    WH: { offset: 32, type: "float32" },
    TmpCab: { offset: 40, type: "float32" },
  },
} as const satisfies ModelTable;

/** DER AC measurement (IEEE 1547-2018 generation of models). */
export const derMeasurement = {
  ids: [701],
  points: {
    W: { offset: 10, type: "int16", scale: "W_SF" },
    LNV: { offset: 16, type: "uint16", scale: "V_SF" },
    Hz: { offset: 17, type: "uint32", scale: "Hz_SF" },
    TotWhInj: { offset: 19, type: "uint64", scale: "TotWh_SF" },
    TotWhAbs: { offset: 23, type: "uint64", scale: "TotWh_SF" },
    TmpCab: { offset: 36, type: "int16", scale: "Tmp_SF" },
    AL1: { offset: 45, type: "int16", scale: "A_SF" },
    VL1: { offset: 47, type: "uint16", scale: "V_SF" },
    AL2: { offset: 68, type: "int16", scale: "A_SF" },
    VL2: { offset: 70, type: "uint16", scale: "V_SF" },
    AL3: { offset: 91, type: "int16", scale: "A_SF" },
    VL3: { offset: 93, type: "uint16", scale: "V_SF" },
    A_SF: { offset: 113, type: "sunssf" },
    V_SF: { offset: 114, type: "sunssf" },
    Hz_SF: { offset: 115, type: "sunssf" },
    W_SF: { offset: 116, type: "sunssf" },
    TotWh_SF: { offset: 120, type: "sunssf" },
    Tmp_SF: { offset: 122, type: "sunssf" },
  },
} as const satisfies ModelTable;

/** Extended status: what the sun would give now. */
export const status = {
  ids: [122],
  points: {
    WAval: { offset: 31, type: "uint16", scale: "WAval_SF" },
    WAval_SF: { offset: 32, type: "sunssf" },
  },
} as const satisfies ModelTable;

/** State of a DER's storage. */
export const derStorage = {
  ids: [713],
  points: {
    WHRtg: { offset: 2, type: "uint16", scale: "WH_SF" },
    SoC: { offset: 4, type: "uint16", scale: "Pct_SF" },
    WH_SF: { offset: 7, type: "sunssf" },
    Pct_SF: { offset: 8, type: "sunssf" },
  },
} as const satisfies ModelTable;
