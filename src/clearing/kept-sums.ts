import type { CellSums } from "./cell-sums.ts";
import type { CurveColumns } from "./curve-columns.ts";
import { ExactSum } from "./exact-sum.ts";
import type { PriceSums } from "./find-crossing.ts";
import type { KeptSums } from "./keep-curve.ts";
import { PagedCells } from "./paged-cells.ts";
import { FIRST_BUCKET, LAST_BUCKET, TICKS_PER_BUCKET } from "./price-ticks.ts";

const NO_TICKS = new PagedCells(TICKS_PER_BUCKET);
const NOBODY: readonly number[] = [];

/** Sums that stay and change with every bid. */
export class KeptPriceSums implements PriceSums, KeptSums {
  readonly columns: CurveColumns;
  readonly base = new ExactSum();
  readonly buckets = new PagedCells(LAST_BUCKET - FIRST_BUCKET + 1);
  readonly firstBucket = FIRST_BUCKET;
  readonly #ticks = new Map<number, PagedCells>();
  readonly #inside = new Map<number, Set<number>>();

  constructor(columns: CurveColumns) {
    this.columns = columns;
  }

  ticksOf(bucket: number): CellSums {
    return this.#ticks.get(bucket) ?? NO_TICKS;
  }

  slotsInside(tick: number): readonly number[] {
    const slots = this.#inside.get(tick);
    return slots === undefined ? NOBODY : [...slots];
  }

  keptTicksOf(bucket: number): PagedCells {
    const present = this.#ticks.get(bucket);
    if (present !== undefined) return present;
    const ticks = new PagedCells(TICKS_PER_BUCKET);
    this.#ticks.set(bucket, ticks);
    return ticks;
  }

  bendsInside(tick: number, slot: number, sign: 1 | -1): void {
    const slots = this.#inside.get(tick) ?? new Set<number>();
    if (sign === 1) slots.add(slot);
    else slots.delete(slot);
    if (slots.size === 0) this.#inside.delete(tick);
    else this.#inside.set(tick, slots);
  }
}
