/*
 * Sums by price: what all curves together do in each of a row of cells (buckets, or the ticks of a bucket).
 *
 * Of each cell two exact numbers are kept. `own`: the rise that begins or ends within it (for a tick: the jump at its
 * begin). `run`: by how much the rise of every cell from this one on differs from that of the cell before; a line that
 * passes a hundred cells needs two entries and not a hundred.
 */

/** Coarse and fine part of both numbers, side by side for each cell. */
export const CELL_STRIDE = 4;
export const OWN = 0;
export const RUN = 2;

export const NO_CELL = -1;

/** Where a walk along the cells has come to. */
export interface CellWalk {
  /** Cells walked through. */
  cell: number;
  /** Sum of all cells before, exact, kW. */
  beforeCoarseKW: number;
  beforeFineKW: number;
  /** Rise of every cell from this one on until it changes again, exact, kW. */
  runCoarseKW: number;
  runFineKW: number;
}

/** A row of cells that can be searched. */
export interface CellSums {
  /** How many cells the row has. */
  readonly cells: number;
  /**
   * Finds the first cell by whose end the power has come up to a level, and leaves in `walk` what was before it.
   *
   * @param startCoarseKW,startFineKW power before the first cell, exact
   * @param evenKW a rise spread evenly over the whole row, beside the cells' own
   * @returns the cell, or NO_CELL with `walk` at the end of the row
   */
  seek(startCoarseKW: number, startFineKW: number, evenKW: number, levelKW: number, walk: CellWalk): number;
  /** The first cell from `from` on in which anything changes, or NO_CELL; `walk` as of that cell. */
  nextChange(from: number, walk: CellWalk): number;
  /** The last cell in which anything changes, or NO_CELL; `walk` as of that cell. */
  lastChange(walk: CellWalk): number;
  /** The cell's `own`, kW: 0 only if there is none. */
  ownCoarseKW(cell: number): number;
  ownFineKW(cell: number): number;
}

export function newWalk(): CellWalk {
  return { cell: 0, beforeCoarseKW: 0, beforeFineKW: 0, runCoarseKW: 0, runFineKW: 0 };
}

/** Takes a walk to the begin of a row. */
export function restart(walk: CellWalk): void {
  walk.cell = 0;
  walk.beforeCoarseKW = 0;
  walk.beforeFineKW = 0;
  walk.runCoarseKW = 0;
  walk.runFineKW = 0;
}

/**
 * Walks through the cells of one stretch of memory as `CellSums.seek` says.
 * @param walk `cell` is the first of the stretch
 * @returns whether the level was reached: then `walk` stands at that cell, with `run` as it is within it
 */
export function seekDense(
  sums: Float64Array,
  cells: number,
  startCoarseKW: number,
  startFineKW: number,
  evenPerCellKW: number,
  levelKW: number,
  walk: CellWalk,
): boolean {
  let { beforeCoarseKW, beforeFineKW, runCoarseKW, runFineKW } = walk;
  for (let cell = 0, place = 0; cell < cells; cell++, place += CELL_STRIDE) {
    runCoarseKW += sums[place + RUN] as number;
    runFineKW += sums[place + RUN + 1] as number;
    const endCoarseKW = beforeCoarseKW + (sums[place + OWN] as number) + runCoarseKW;
    const endFineKW = beforeFineKW + (sums[place + OWN + 1] as number) + runFineKW;
    const endKW = startCoarseKW + endCoarseKW + (startFineKW + endFineKW) + evenPerCellKW * (walk.cell + cell + 1);
    if (endKW >= levelKW) {
      walk.cell += cell;
      walk.beforeCoarseKW = beforeCoarseKW;
      walk.beforeFineKW = beforeFineKW;
      walk.runCoarseKW = runCoarseKW;
      walk.runFineKW = runFineKW;
      return true;
    }
    beforeCoarseKW = endCoarseKW;
    beforeFineKW = endFineKW;
  }
  walk.cell += cells;
  walk.beforeCoarseKW = beforeCoarseKW;
  walk.beforeFineKW = beforeFineKW;
  walk.runCoarseKW = runCoarseKW;
  walk.runFineKW = runFineKW;
  return false;
}

/**
 * Walks through one stretch to the first cell from `from` on in which anything changes.
 * @returns whether there is one
 */
export function nextChangeDense(sums: Float64Array, cells: number, from: number, walk: CellWalk): boolean {
  for (let cell = 0, place = 0; cell < cells; cell++, place += CELL_STRIDE) {
    walk.runCoarseKW += sums[place + RUN] as number;
    walk.runFineKW += sums[place + RUN + 1] as number;
    const ownCoarseKW = sums[place + OWN] as number;
    const ownFineKW = sums[place + OWN + 1] as number;
    if (walk.cell >= from && changes(ownCoarseKW, ownFineKW, walk)) return true;
    walk.beforeCoarseKW += ownCoarseKW + walk.runCoarseKW;
    walk.beforeFineKW += ownFineKW + walk.runFineKW;
    walk.cell++;
  }
  return false;
}

/** Whether anything happens in a cell: every rise is ≥ 0, so two of them can't hide each other. */
export function changes(ownCoarseKW: number, ownFineKW: number, walk: CellWalk): boolean {
  return ownCoarseKW + ownFineKW !== 0 || walk.runCoarseKW + walk.runFineKW !== 0;
}

/**
 * Walks through one stretch to the last cell in which anything changes.
 * @returns whether there is one; `walk` then stands at it
 */
export function lastChangeDense(sums: Float64Array, cells: number, walk: CellWalk): boolean {
  const ahead = { ...walk };
  let found = false;
  for (let cell = 0, place = 0; cell < cells; cell++, place += CELL_STRIDE) {
    ahead.runCoarseKW += sums[place + RUN] as number;
    ahead.runFineKW += sums[place + RUN + 1] as number;
    const ownCoarseKW = sums[place + OWN] as number;
    const ownFineKW = sums[place + OWN + 1] as number;
    if (changes(ownCoarseKW, ownFineKW, ahead)) {
      Object.assign(walk, ahead);
      found = true;
    }
    ahead.beforeCoarseKW += ownCoarseKW + ahead.runCoarseKW;
    ahead.beforeFineKW += ownFineKW + ahead.runFineKW;
    ahead.cell++;
  }
  return found;
}
