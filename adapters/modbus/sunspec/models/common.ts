// Written by scripts/sunspec-tables.mjs from the facts of github.com/sunspec/models. Do not edit.

import type { ModelTable } from "../model-table.ts";

/** Who made it. */
export const common = {
  ids: [1],
  points: {
    Mn: { offset: 2, type: "string", words: 16 },
    Md: { offset: 18, type: "string", words: 16 },
    Opt: { offset: 34, type: "string", words: 8 },
    Vr: { offset: 42, type: "string", words: 8 },
    SN: { offset: 50, type: "string", words: 16 },
    DA: { offset: 66, type: "uint16", writable: true },
  },
} as const satisfies ModelTable;
