// Written by scripts/sunspec-tables.mjs from the facts of github.com/sunspec/models. Do not edit.

import type { ModelTable } from "../model-table.ts";

/** Local or remote, and the heartbeats. */
export const derOperation = {
  ids: [715],
  points: {
    LocRemCtl: { offset: 2, type: "enum16" },
    DERHb: { offset: 3, type: "uint32" },
    ControllerHb: { offset: 5, type: "uint32", writable: true },
    AlarmReset: { offset: 7, type: "uint16", writable: true },
    OpCtl: { offset: 8, type: "enum16", writable: true },
  },
} as const satisfies ModelTable;
