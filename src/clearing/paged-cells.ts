import {
  CELL_STRIDE,
  type CellSums,
  type CellWalk,
  lastChangeDense,
  NO_CELL,
  nextChangeDense,
  OWN,
  RUN,
  restart,
  seekDense,
} from "./cell-sums.ts";

// An imported constant is read anew at each use; one of this module is compiled in.
const STRIDE = CELL_STRIDE;
const AT_OWN = OWN;
const AT_RUN = RUN;
const PAGE_BITS = 6;
const PAGE_CELLS = 1 << PAGE_BITS;

/**
 * Cells in pages of 64 that change one at a time. Each page has a sum of its own, so a search looks at the pages and then
 * at the cells of one. A page is there once something was written to it.
 *
 * The sum of a page is: how far the power comes up over its 64 cells by what stands in it, and by how much the run differs
 * behind it. Both are exact, so a search ends in the same cell with the same sums as one from cell to cell.
 */
export class PagedCells implements CellSums {
  readonly cells: number;
  readonly #pages: (Float64Array | undefined)[];
  readonly #pageSums: Float64Array;
  /** No page outside these was ever written. */
  #firstPage: number;
  #lastPage = -1;

  /** @param cells a multiple of 64 */
  constructor(cells: number) {
    const pages = cells >> PAGE_BITS;
    this.cells = cells;
    this.#pages = new Array<Float64Array | undefined>(pages).fill(undefined);
    this.#pageSums = new Float64Array(pages * STRIDE);
    this.#firstPage = pages;
  }

  /** Adds to a cell's `own`. */
  addOwn(cell: number, coarseKW: number, fineKW: number): void {
    const place = (cell & (PAGE_CELLS - 1)) * STRIDE + AT_OWN;
    const page = this.#pageOf(cell);
    page[place] = (page[place] as number) + coarseKW;
    page[place + 1] = (page[place + 1] as number) + fineKW;
    const sum = (cell >> PAGE_BITS) * STRIDE + AT_OWN;
    this.#pageSums[sum] = (this.#pageSums[sum] as number) + coarseKW;
    this.#pageSums[sum + 1] = (this.#pageSums[sum + 1] as number) + fineKW;
  }

  /** Adds to the rise of this cell and of all after it. Behind the last cell there is nothing to add to. */
  addRun(cell: number, coarseKW: number, fineKW: number): void {
    if (cell >= this.cells) return;
    const within = cell & (PAGE_CELLS - 1);
    const page = this.#pageOf(cell);
    const place = within * STRIDE + AT_RUN;
    page[place] = (page[place] as number) + coarseKW;
    page[place + 1] = (page[place + 1] as number) + fineKW;
    const sum = (cell >> PAGE_BITS) * STRIDE;
    const cellsLeft = PAGE_CELLS - within;
    this.#pageSums[sum + AT_OWN] = (this.#pageSums[sum + AT_OWN] as number) + coarseKW * cellsLeft;
    this.#pageSums[sum + AT_OWN + 1] = (this.#pageSums[sum + AT_OWN + 1] as number) + fineKW * cellsLeft;
    this.#pageSums[sum + AT_RUN] = (this.#pageSums[sum + AT_RUN] as number) + coarseKW;
    this.#pageSums[sum + AT_RUN + 1] = (this.#pageSums[sum + AT_RUN + 1] as number) + fineKW;
  }

  /** `addRun` for a cell and for the one after it, which is most often on the same page. */
  addRuns(cell: number, coarseKW: number, fineKW: number, nextCoarseKW: number, nextFineKW: number): void {
    const within = cell & (PAGE_CELLS - 1);
    if (within === PAGE_CELLS - 1) {
      this.addRun(cell, coarseKW, fineKW);
      this.addRun(cell + 1, nextCoarseKW, nextFineKW);
      return;
    }
    const page = this.#pageOf(cell);
    const place = within * STRIDE + AT_RUN;
    page[place] = (page[place] as number) + coarseKW;
    page[place + 1] = (page[place + 1] as number) + fineKW;
    page[place + STRIDE] = (page[place + STRIDE] as number) + nextCoarseKW;
    page[place + STRIDE + 1] = (page[place + STRIDE + 1] as number) + nextFineKW;
    const sums = this.#pageSums;
    const sum = (cell >> PAGE_BITS) * STRIDE;
    const cellsLeft = PAGE_CELLS - within;
    sums[sum + AT_OWN] = (sums[sum + AT_OWN] as number) + (coarseKW * cellsLeft + nextCoarseKW * (cellsLeft - 1));
    sums[sum + AT_OWN + 1] = (sums[sum + AT_OWN + 1] as number) + (fineKW * cellsLeft + nextFineKW * (cellsLeft - 1));
    sums[sum + AT_RUN] = (sums[sum + AT_RUN] as number) + (coarseKW + nextCoarseKW);
    sums[sum + AT_RUN + 1] = (sums[sum + AT_RUN + 1] as number) + (fineKW + nextFineKW);
  }

  seek(startCoarseKW: number, startFineKW: number, evenKW: number, levelKW: number, walk: CellWalk): number {
    restart(walk);
    const evenPerCellKW = evenKW / this.cells;
    // With an even rise beside them, pages without anything in them count too.
    if (evenKW === 0) walk.cell = this.#firstPage * PAGE_CELLS;
    const end = evenKW === 0 ? this.#lastPage * PAGE_CELLS : this.cells - 1;
    while (walk.cell <= end) {
      const sum = (walk.cell >> PAGE_BITS) * STRIDE;
      const endCoarseKW =
        walk.beforeCoarseKW + (this.#pageSums[sum + AT_OWN] as number) + walk.runCoarseKW * PAGE_CELLS;
      const endFineKW = walk.beforeFineKW + (this.#pageSums[sum + AT_OWN + 1] as number) + walk.runFineKW * PAGE_CELLS;
      const endKW = startCoarseKW + endCoarseKW + (startFineKW + endFineKW) + evenPerCellKW * (walk.cell + PAGE_CELLS);
      if (endKW >= levelKW) {
        const page = this.#pages[walk.cell >> PAGE_BITS] ?? EMPTY_PAGE;
        seekDense(page, PAGE_CELLS, startCoarseKW, startFineKW, evenPerCellKW, levelKW, walk);
        return walk.cell;
      }
      this.#skip(sum, endCoarseKW, endFineKW, walk);
    }
    return NO_CELL;
  }

  nextChange(from: number, walk: CellWalk): number {
    restart(walk);
    walk.cell = this.#firstPage * PAGE_CELLS;
    while (walk.cell <= this.#lastPage * PAGE_CELLS) {
      const sum = (walk.cell >> PAGE_BITS) * STRIDE;
      if (walk.cell + PAGE_CELLS > from && this.#risesIn(sum, walk)) {
        const page = this.#pages[walk.cell >> PAGE_BITS] ?? EMPTY_PAGE;
        if (nextChangeDense(page, PAGE_CELLS, from, walk)) return walk.cell;
      } else {
        this.#skipPage(sum, walk);
      }
    }
    return NO_CELL;
  }

  lastChange(walk: CellWalk): number {
    restart(walk);
    walk.cell = this.#firstPage * PAGE_CELLS;
    const last = { ...walk };
    let found = false;
    while (walk.cell <= this.#lastPage * PAGE_CELLS) {
      const sum = (walk.cell >> PAGE_BITS) * STRIDE;
      if (this.#risesIn(sum, walk)) {
        Object.assign(last, walk);
        found = true;
      }
      this.#skipPage(sum, walk);
    }
    if (!found) return NO_CELL;
    Object.assign(walk, last);
    lastChangeDense(this.#pages[walk.cell >> PAGE_BITS] ?? EMPTY_PAGE, PAGE_CELLS, walk);
    return walk.cell;
  }

  ownCoarseKW(cell: number): number {
    return this.#pages[cell >> PAGE_BITS]?.[(cell & (PAGE_CELLS - 1)) * STRIDE + AT_OWN] ?? 0;
  }

  ownFineKW(cell: number): number {
    return this.#pages[cell >> PAGE_BITS]?.[(cell & (PAGE_CELLS - 1)) * STRIDE + AT_OWN + 1] ?? 0;
  }

  #pageOf(cell: number): Float64Array {
    const index = cell >> PAGE_BITS;
    const present = this.#pages[index];
    if (present !== undefined) return present;
    const page = new Float64Array(PAGE_CELLS * STRIDE);
    this.#pages[index] = page;
    this.#firstPage = Math.min(this.#firstPage, index);
    this.#lastPage = Math.max(this.#lastPage, index);
    return page;
  }

  #risesIn(sum: number, walk: CellWalk): boolean {
    const coarseKW = (this.#pageSums[sum + AT_OWN] as number) + walk.runCoarseKW * PAGE_CELLS;
    const fineKW = (this.#pageSums[sum + AT_OWN + 1] as number) + walk.runFineKW * PAGE_CELLS;
    return coarseKW + fineKW !== 0;
  }

  #skipPage(sum: number, walk: CellWalk): void {
    const endCoarseKW = walk.beforeCoarseKW + (this.#pageSums[sum + AT_OWN] as number) + walk.runCoarseKW * PAGE_CELLS;
    const endFineKW = walk.beforeFineKW + (this.#pageSums[sum + AT_OWN + 1] as number) + walk.runFineKW * PAGE_CELLS;
    this.#skip(sum, endCoarseKW, endFineKW, walk);
  }

  #skip(sum: number, endCoarseKW: number, endFineKW: number, walk: CellWalk): void {
    walk.cell += PAGE_CELLS;
    walk.beforeCoarseKW = endCoarseKW;
    walk.beforeFineKW = endFineKW;
    walk.runCoarseKW += this.#pageSums[sum + AT_RUN] as number;
    walk.runFineKW += this.#pageSums[sum + AT_RUN + 1] as number;
  }
}

const EMPTY_PAGE = new Float64Array(PAGE_CELLS * STRIDE);
