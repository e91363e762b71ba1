import {
  CELL_STRIDE,
  type CellSums,
  type CellWalk,
  lastChangeDense,
  NO_CELL,
  nextChangeDense,
  OWN,
  restart,
  seekDense,
} from "./cell-sums.ts";

/** Cells in one piece of memory, filled once and walked through once. */
export class DenseCells implements CellSums {
  readonly cells: number;
  /** `CELL_STRIDE` numbers a cell, and one cell more than there are, so that a run may end behind the last. */
  readonly sums: Float64Array;

  constructor(cells: number) {
    this.cells = cells;
    this.sums = new Float64Array((cells + 1) * CELL_STRIDE);
  }

  seek(startCoarseKW: number, startFineKW: number, evenKW: number, levelKW: number, walk: CellWalk): number {
    restart(walk);
    const evenPerCellKW = evenKW / this.cells;
    return seekDense(this.sums, this.cells, startCoarseKW, startFineKW, evenPerCellKW, levelKW, walk)
      ? walk.cell
      : NO_CELL;
  }

  nextChange(from: number, walk: CellWalk): number {
    restart(walk);
    return nextChangeDense(this.sums, this.cells, from, walk) ? walk.cell : NO_CELL;
  }

  lastChange(walk: CellWalk): number {
    restart(walk);
    return lastChangeDense(this.sums, this.cells, walk) ? walk.cell : NO_CELL;
  }

  ownCoarseKW(cell: number): number {
    return this.sums[cell * CELL_STRIDE + OWN] as number;
  }

  ownFineKW(cell: number): number {
    return this.sums[cell * CELL_STRIDE + OWN + 1] as number;
  }
}
