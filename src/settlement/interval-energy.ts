import type { Era } from "../model/resource.ts";

/** A meter's registers at the time it read them. A register that the meter does not have is absent, not zero. */
export interface RegisterSample {
  /** Wall time of the measurement, epoch ms. */
  readonly atMs: number;
  /** Energy taken in since some start, whole Wh, only ever rising. */
  readonly importWh?: number;
  /** Energy given out since some start, whole Wh, only ever rising. */
  readonly exportWh?: number;
}

/** The registers at a time, and whether they were read or interpolated. */
export interface RegisterPoint extends RegisterSample {
  readonly isEstimated: boolean;
}

/**
 * `MEASURED`: both edges are readings of the meter. `ESTIMATED`: an edge lies between two readings that are close enough,
 * and was interpolated. `GAP`: nothing is known of when energy flowed.
 */
export type EnergyQuality = "MEASURED" | "ESTIMATED" | "GAP";

/** Energy between two times. No price changes inside, unless it is a gap, and a gap has no price. */
export interface IntervalEnergy {
  /** Inclusive. */
  readonly startMs: number;
  /** Exclusive. */
  readonly endMs: number;
  /** Energy taken in, Wh, ≥ 0. In a gap: what the register rose by meanwhile; absent if that is unknown too. */
  readonly importWh?: number;
  /** Energy given out, Wh, ≥ 0; as `importWh`. */
  readonly exportWh?: number;
  readonly quality: EnergyQuality;
  /** Why there is a gap, for a person. */
  readonly reason?: string;
  /** The registers at the end, from which the next one goes on. */
  readonly end: RegisterPoint;
}

export interface IntervalMeterOptions {
  /** Longest time between two readings, ms, in which an edge may be interpolated. */
  readonly maxInterpolationMs: number;
  /** Edges of market intervals, ascending, from `fromMs` to `untilMs`, both included: an edge may be told when it is there. */
  readonly edgesBetween: (era: Era, fromMs: number, untilMs: number) => readonly number[];
}

/**
 * Turns the readings of one resource into the energy of market intervals. Energy is the difference of the meter's own
 * registers at the edges, and never power times time. What it emits lies end to end, and adds up to the difference of the
 * first and the last register as long as the register only rose.
 */
export class IntervalMeter {
  readonly #era: Era;
  readonly #options: IntervalMeterOptions;
  #pieceStart: RegisterPoint | undefined;
  #last: RegisterSample | undefined;
  #ignored = 0;

  /** @param resumeFrom the registers at the end of what was emitted before a restart */
  constructor(era: Era, options: IntervalMeterOptions, resumeFrom?: RegisterPoint) {
    this.#era = era;
    this.#options = options;
    this.#last = resumeFrom;
    this.#pieceStart = resumeFrom;
  }

  /** Samples that were of no use: without a register, not newer than the last, or lacking a register that it had. */
  get ignored(): number {
    return this.#ignored;
  }

  /** Takes a reading and says which intervals it completes. */
  add(sample: RegisterSample): IntervalEnergy[] {
    const last = this.#last;
    if (last === undefined || this.#pieceStart === undefined) {
      if (hasRegister(sample)) this.#begin(sample);
      else this.#ignored += 1;
      return [];
    }
    const apartMs = sample.atMs - last.atMs;
    const isFar = apartMs > this.#options.maxInterpolationMs;
    const isComplete = hasRegistersOf(last, sample);
    // One message may carry less than the next; a register that stays away is gone, and must not hold up the other.
    if (apartMs <= 0 || !hasRegister(sample) || (!isComplete && !isFar)) {
      this.#ignored += 1;
      return [];
    }
    const fall = isComplete ? fallOf(last, sample) : "a register is no longer told";
    if (fall !== undefined) return [...this.#cutAtLast(), this.#gapUntil(sample, fall)];
    const edges = this.#options.edgesBetween(this.#era, last.atMs, sample.atMs);
    if (isFar && edges.some((edgeMs) => edgeMs > last.atMs && edgeMs < sample.atMs)) {
      return [...this.#cutAtLast(), this.#gapUntil(sample, `no reading for ${Math.round(apartMs / 1000)} s`)];
    }
    const done = edges.flatMap((edgeMs) => this.#cutAt(pointAt(edgeMs, last, sample)));
    this.#last = sample;
    return done;
  }

  /** Ends at the last reading, for example when the gateway stops. What comes later goes on from there. */
  finish(): IntervalEnergy[] {
    return this.#cutAtLast();
  }

  #begin(sample: RegisterSample): void {
    this.#last = sample;
    this.#pieceStart = readPoint(sample);
  }

  #cutAtLast(): IntervalEnergy[] {
    return this.#last === undefined ? [] : this.#cutAt(readPoint(this.#last));
  }

  /** Closes the piece that runs, unless nothing of it is there, and begins the next at the same point. */
  #cutAt(end: RegisterPoint): IntervalEnergy[] {
    const start = this.#pieceStart;
    if (start === undefined || end.atMs <= start.atMs) return [];
    this.#pieceStart = end;
    const quality = start.isEstimated || end.isEstimated ? "ESTIMATED" : "MEASURED";
    return [{ startMs: start.atMs, endMs: end.atMs, ...rise(start, end), quality, end }];
  }

  #gapUntil(sample: RegisterSample, reason: string): IntervalEnergy {
    const last = this.#last ?? sample;
    this.#begin(sample);
    return {
      startMs: last.atMs,
      endMs: sample.atMs,
      ...(fallOf(last, sample) === undefined && rise(last, sample)),
      quality: "GAP",
      reason,
      end: readPoint(sample),
    };
  }
}

/** Linear between two readings, in whole Wh. Where a register stood still it is known, and nothing was estimated. */
function pointAt(atMs: number, before: RegisterSample, after: RegisterSample): RegisterPoint {
  if (atMs === after.atMs) return readPoint(after);
  if (atMs === before.atMs) return readPoint(before);
  const share = (atMs - before.atMs) / (after.atMs - before.atMs);
  const between = (from: number | undefined, to: number | undefined) =>
    from === undefined || to === undefined ? undefined : from + Math.round((to - from) * share);
  const isStill = before.importWh === after.importWh && before.exportWh === after.exportWh;
  const registers = withRegisters(between(before.importWh, after.importWh), between(before.exportWh, after.exportWh));
  return { atMs, ...registers, isEstimated: !isStill };
}

function rise(from: RegisterSample, to: RegisterSample): { importWh?: number; exportWh?: number } {
  const difference = (a: number | undefined, b: number | undefined) =>
    a === undefined || b === undefined ? undefined : b - a;
  return withRegisters(difference(from.importWh, to.importWh), difference(from.exportWh, to.exportWh));
}

/** What a person reads when a register went down: it was reset, rolled over, or belongs to another meter. */
function fallOf(before: RegisterSample, after: RegisterSample): string | undefined {
  for (const name of ["importWh", "exportWh"] as const) {
    const [from, to] = [before[name], after[name]];
    if (from !== undefined && to !== undefined && to < from) {
      return `${name === "importWh" ? "import" : "export"} register fell from ${from} to ${to} Wh: reset, rollover or another meter`;
    }
  }
  return undefined;
}

function hasRegistersOf(before: RegisterSample, after: RegisterSample): boolean {
  return (
    (before.importWh === undefined || after.importWh !== undefined) &&
    (before.exportWh === undefined || after.exportWh !== undefined)
  );
}

function hasRegister(sample: RegisterSample): boolean {
  return sample.importWh !== undefined || sample.exportWh !== undefined;
}

function readPoint({ atMs, importWh, exportWh }: RegisterSample): RegisterPoint {
  return { atMs, ...withRegisters(importWh, exportWh), isEstimated: false };
}

function withRegisters(importWh: number | undefined, exportWh: number | undefined) {
  return { ...(importWh !== undefined && { importWh }), ...(exportWh !== undefined && { exportWh }) };
}
