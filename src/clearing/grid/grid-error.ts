import type { Era } from "../../model/resource.ts";

/** A grid that can't be cleared: wrongly described, or with a limit that nothing taking part in the market can keep. */
export class GridError extends Error {
  override readonly name = "GridError";
  readonly era: Era;
  /** By how much the limit of the node is exceeded whatever the market does, kW, > 0; only for such a fault. */
  readonly excessKW?: number;

  constructor(era: Era, fault: string, excessKW?: number) {
    super(`${era}: ${fault}`);
    this.era = era;
    if (excessKW !== undefined) this.excessKW = excessKW;
  }
}
