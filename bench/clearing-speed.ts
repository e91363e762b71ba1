import { execFileSync, spawnSync } from "node:child_process";
import { closeSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { BatchSums } from "../src/clearing/batch-sums.ts";
import { CurveColumns } from "../src/clearing/curve-columns.ts";
import { findCrossing } from "../src/clearing/find-crossing.ts";
import { seededNumbers, threePointBid } from "./clearing-bids.ts";
import { type BenchContext, type Benchmark, type Figure, figure, Skipped } from "./figure.ts";

const SMALL = 100_000;
const LARGE = 1_000_000;
const ROUNDS = 40;
const LARGE_ROUNDS = 8;
const SEED = 1;
const COMPILER = process.env["CC"] ?? "cc";

/**
 * 100,000 three-point curves summed and their price found, beside a C program of the same algorithm on the same numbers,
 * each the best of many rounds within one process. The prices have to agree to the last bit.
 */
export const clearingRatio: Benchmark = { figures: ["clearing_100k_ratio"], run: measureRatio };

/**
 * Time per curve with 1,000,000 curves over that with 100,000. The sum is 1 where the time grows as the curves do; the
 * target of 2 leaves room for what no longer fits into the processor's caches.
 */
export const clearingLinearity: Benchmark = { figures: ["clearing_1m_linearity"], run: measureLinearity };

async function measureRatio({ folder, progress }: BenchContext): Promise<readonly Figure[]> {
  const program = compiledFloor(folder);
  const columns = seededColumns(SMALL);
  const data = join(folder, "curves.bin");
  writeColumns(data, columns);
  // In turns, so that a busy moment of the machine meets both.
  let floorMs = Number.POSITIVE_INFINITY;
  let ownMs = Number.POSITIVE_INFINITY;
  for (let turn = 1; turn <= 3; turn++) {
    const own = bestMs(columns, ROUNDS);
    const [bestText, priceText] = execFileSync(program, [data, String(ROUNDS)], { encoding: "utf8" }).split(" ");
    if (Number(priceText) !== own.pricePerKWh) {
      throw new Error(`the price is ${own.pricePerKWh} here and ${priceText} in C`);
    }
    floorMs = Math.min(floorMs, Number(bestText));
    ownMs = Math.min(ownMs, own.ms);
    progress(`turn ${turn} of 3: ${ownMs.toFixed(2)} ms, in C ${floorMs.toFixed(2)} ms`);
  }
  return [
    figure({
      name: "clearing_100k_ratio",
      value: ownMs / floorMs,
      unit: "x",
      target: 2,
      floor: floorMs,
      detail: `100,000 curves in ${ownMs.toFixed(2)} ms; in C (${COMPILER} -O2) ${floorMs.toFixed(2)} ms; same price`,
    }),
  ];
}

async function measureLinearity({ progress }: BenchContext): Promise<readonly Figure[]> {
  const smallMs = bestMs(seededColumns(SMALL), ROUNDS).ms;
  progress(`100,000 curves: ${smallMs.toFixed(2)} ms`);
  const largeMs = bestMs(seededColumns(LARGE), LARGE_ROUNDS).ms;
  progress(`1,000,000 curves: ${largeMs.toFixed(2)} ms`);
  const nsEach = { small: (smallMs / SMALL) * 1e6, large: (largeMs / LARGE) * 1e6 };
  return [
    figure({
      name: "clearing_1m_linearity",
      value: nsEach.large / nsEach.small,
      unit: "x",
      target: 2,
      floor: nsEach.small,
      detail: `1,000,000 curves in ${largeMs.toFixed(1)} ms, ${nsEach.large.toFixed(1)} ns each; 100,000: ${nsEach.small.toFixed(1)} ns each`,
    }),
  ];
}

function seededColumns(curves: number): CurveColumns {
  const random = seededNumbers(SEED);
  return CurveColumns.of(Array.from({ length: curves }, () => threePointBid(random)));
}

function bestMs(columns: CurveColumns, rounds: number): { ms: number; pricePerKWh: number | undefined } {
  let ms = Number.POSITIVE_INFINITY;
  let pricePerKWh: number | undefined;
  for (let round = 0; round < rounds; round++) {
    const startedAtMs = performance.now();
    const crossing = findCrossing(new BatchSums(columns), 0);
    ms = Math.min(ms, performance.now() - startedAtMs);
    pricePerKWh = crossing.kind === "AT" ? crossing.pricePerKWh : undefined;
  }
  return { ms, pricePerKWh };
}

/** @throws Skipped where there is no C compiler */
function compiledFloor(folder: string): string {
  const fromBuild = import.meta.url.endsWith(".ts") ? "clearing-floor.c" : "../../bench/clearing-floor.c";
  const program = join(folder, "clearing-floor");
  // No fused multiplications: they would round differently from JavaScript.
  const flags = ["-O2", "-ffp-contract=off", "-o", program, fileURLToPath(new URL(fromBuild, import.meta.url)), "-lm"];
  const compiled = spawnSync(COMPILER, flags, { encoding: "utf8" });
  if (compiled.error !== undefined)
    throw new Skipped(`there is no C compiler to build the floor with (${compiled.error.message})`);
  if (compiled.status !== 0) throw new Error(`the floor could not be compiled: ${compiled.stderr}`);
  return program;
}

function writeColumns(path: string, columns: CurveColumns): void {
  const { starts, lengths, prices, powers, ticks, ticksUpTo } = columns;
  const file = openSync(path, "w");
  const counts = Int32Array.of(starts.length, prices.length);
  for (const column of [counts, starts, lengths, prices, powers, ticks, ticksUpTo]) {
    writeSync(file, new Uint8Array(column.buffer, column.byteOffset, column.byteLength));
  }
  closeSync(file);
}
