/** One measured figure. For all of them less is better. */
export interface Figure {
  readonly name: string;
  readonly value: number;
  /** Of value and target: `x` for a ratio to the floor, else `MB`, `s` and so on. */
  readonly unit: string;
  /** Most that the value may be. */
  readonly target: number;
  /** What a bare program needed for the same in the same run; its unit stands in `detail`. */
  readonly floor: number;
  readonly met: boolean;
  /** How the value came about, for a person; no part of the JSON. */
  readonly detail: string;
}

/** One benchmark, which measures one figure or several that come from the same run. */
export interface Benchmark {
  /** Names of all its figures, so that one can be chosen before anything runs. */
  readonly figures: readonly string[];
  /**
   * @throws Skipped where this machine can't measure it
   * @throws Error where the measurement failed
   */
  run(context: BenchContext): Promise<readonly Figure[]>;
}

export interface BenchContext {
  /** An empty folder of this benchmark's own, on a disk. */
  readonly folder: string;
  /** Says how far it is, to whoever waits. */
  readonly progress: (text: string) => void;
  /** CPU profiles of the daemon are written here. */
  readonly profileFolder?: string;
}

/** Thrown where a figure has no meaning on this machine; that is no failure. */
export class Skipped extends Error {
  override readonly name = "Skipped";
}

/** A figure with its verdict; numbers are kept to a thousandth. */
export function figure(measured: Omit<Figure, "met">): Figure {
  const value = thousandths(measured.value);
  return { ...measured, value, floor: thousandths(measured.floor), met: value <= measured.target };
}

function thousandths(value: number): number {
  if (!Number.isFinite(value)) throw new RangeError(`a figure must be a finite number, got ${value}`);
  return Math.round(value * 1000) / 1000;
}
