import type { ModelTable } from "./model-table.ts";

// Offsets, types and scale points follow the definitions published in github.com/sunspec/models; a test compares them.

/** Nameplate: what the hardware was built for. */
export const nameplate = {
  ids: [120],
  points: {
    WRtg: { offset: 3, type: "uint16", scale: "WRtg_SF" },
    WRtg_SF: { offset: 4, type: "sunssf" },
    WHRtg: { offset: 19, type: "uint16", scale: "WHRtg_SF" },
    WHRtg_SF: { offset: 20, type: "sunssf" },
    MaxChaRte: { offset: 23, type: "uint16", scale: "MaxChaRte_SF" },
    MaxChaRte_SF: { offset: 24, type: "sunssf" },
    MaxDisChaRte: { offset: 25, type: "uint16", scale: "MaxDisChaRte_SF" },
    MaxDisChaRte_SF: { offset: 26, type: "sunssf" },
  },
} as const satisfies ModelTable;

/** Basic settings: what the installer allows, and the base of the percentages in 123. */
export const settings = {
  ids: [121],
  points: {
    WMax: { offset: 2, type: "uint16", scale: "WMax_SF" },
    WMax_SF: { offset: 22, type: "sunssf" },
  },
} as const satisfies ModelTable;

/** Immediate controls. `Conn` at 4 is left out on purpose: writing it can disconnect the plant. */
export const immediateControls = {
  ids: [123],
  points: {
    WMaxLimPct: { offset: 5, type: "uint16", scale: "WMaxLimPct_SF" },
    WMaxLimPct_WinTms: { offset: 6, type: "uint16" },
    WMaxLimPct_RvrtTms: { offset: 7, type: "uint16" },
    WMaxLimPct_RmpTms: { offset: 8, type: "uint16" },
    WMaxLim_Ena: { offset: 9, type: "enum16" },
    WMaxLimPct_SF: { offset: 23, type: "sunssf" },
  },
} as const satisfies ModelTable;

/** Basic storage control. */
export const storageControls = {
  ids: [124],
  points: {
    WChaMax: { offset: 2, type: "uint16", scale: "WChaMax_SF" },
    StorCtl_Mod: { offset: 5, type: "bitfield16" },
    MinRsvPct: { offset: 7, type: "uint16", scale: "MinRsvPct_SF" },
    ChaState: { offset: 8, type: "uint16", scale: "ChaState_SF" },
    OutWRte: { offset: 12, type: "int16", scale: "InOutWRte_SF" },
    InWRte: { offset: 13, type: "int16", scale: "InOutWRte_SF" },
    InOutWRte_WinTms: { offset: 14, type: "uint16" },
    InOutWRte_RvrtTms: { offset: 15, type: "uint16" },
    InOutWRte_RmpTms: { offset: 16, type: "uint16" },
    WChaMax_SF: { offset: 18, type: "sunssf" },
    MinRsvPct_SF: { offset: 21, type: "sunssf" },
    ChaState_SF: { offset: 22, type: "sunssf" },
    InOutWRte_SF: { offset: 25, type: "sunssf" },
  },
} as const satisfies ModelTable;

/** DER capacity: ratings, and the settings that lower them. */
export const derCapacity = {
  ids: [702],
  points: {
    WMaxRtg: { offset: 2, type: "uint16", scale: "W_SF" },
    WChaRteMaxRtg: { offset: 10, type: "uint16", scale: "W_SF" },
    WDisChaRteMaxRtg: { offset: 11, type: "uint16", scale: "W_SF" },
    WMax: { offset: 26, type: "uint16", scale: "W_SF" },
    WChaRteMax: { offset: 34, type: "uint16", scale: "W_SF" },
    WDisChaRteMax: { offset: 35, type: "uint16", scale: "W_SF" },
    W_SF: { offset: 45, type: "sunssf" },
  },
} as const satisfies ModelTable;

/** DER AC controls: a limit in percent, and the only signed setpoint in watts that SunSpec has. */
export const derControls = {
  ids: [704],
  points: {
    WMaxLimPctEna: { offset: 14, type: "enum16" },
    WMaxLimPct: { offset: 15, type: "uint16", scale: "WMaxLimPct_SF" },
    WMaxLimPctRvrt: { offset: 16, type: "uint16", scale: "WMaxLimPct_SF" },
    WMaxLimPctEnaRvrt: { offset: 17, type: "enum16" },
    WMaxLimPctRvrtTms: { offset: 18, type: "uint32" },
    WMaxLimPctRvrtRem: { offset: 20, type: "uint32" },
    WSetEna: { offset: 22, type: "enum16" },
    WSetMod: { offset: 23, type: "enum16" },
    WSet: { offset: 24, type: "int32", scale: "WSet_SF" },
    WSetRvrt: { offset: 26, type: "int32", scale: "WSet_SF" },
    WSetPct: { offset: 28, type: "int16", scale: "WSetPct_SF" },
    WSetPctRvrt: { offset: 29, type: "int16", scale: "WSetPct_SF" },
    WSetEnaRvrt: { offset: 30, type: "enum16" },
    WSetRvrtTms: { offset: 31, type: "uint32" },
    WSetRvrtRem: { offset: 33, type: "uint32" },
    WMaxLimPct_SF: { offset: 54, type: "sunssf" },
    WSet_SF: { offset: 55, type: "sunssf" },
    WSetPct_SF: { offset: 56, type: "sunssf" },
  },
} as const satisfies ModelTable;
