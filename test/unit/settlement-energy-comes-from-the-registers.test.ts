import { describe, expect, test } from "vitest";
import { type IntervalEnergy, IntervalMeter, type RegisterSample } from "../../src/settlement/interval-energy.ts";

const MINUTE = 60_000;
const QUARTER = 15 * MINUTE;

/** Edges each quarter of an hour. */
function quarters(_era: string, fromMs: number, untilMs: number): number[] {
  const edges: number[] = [];
  for (let edge = (Math.floor(fromMs / QUARTER) + 1) * QUARTER; edge <= untilMs; edge += QUARTER) edges.push(edge);
  return edges;
}

function meterOf(resumeFrom?: RegisterSample & { isEstimated: boolean }): IntervalMeter {
  return new IntervalMeter("meter", { maxInterpolationMs: 2 * MINUTE, edgesBetween: quarters }, resumeFrom);
}

/** What comes of samples given as `[minute, importWh, exportWh]`. */
function intervalsOf(...samples: readonly (readonly [number, number | undefined, number?])[]): IntervalEnergy[] {
  const meter = meterOf();
  const done = samples.flatMap(([minute, importWh, exportWh]) => meter.add(sample(minute, importWh, exportWh)));
  return [...done, ...meter.finish()];
}

function sample(minute: number, importWh?: number, exportWh?: number): RegisterSample {
  return {
    atMs: minute * MINUTE,
    ...(importWh !== undefined && { importWh }),
    ...(exportWh !== undefined && { exportWh }),
  };
}

/** `[from minute, to minute, import, export, quality]` */
function brief(intervals: readonly IntervalEnergy[]) {
  return intervals.map(({ startMs, endMs, importWh, exportWh, quality }) => [
    startMs / MINUTE,
    endMs / MINUTE,
    importWh,
    exportWh,
    quality,
  ]);
}

describe("the energy of an interval", () => {
  test("is the difference of the registers at its edges, import and export apart", () => {
    expect(brief(intervalsOf([0, 1000, 50], [7, 1700, 50], [15, 2000, 80], [30, 2000, 380]))).toEqual([
      [0, 15, 1000, 30, "MEASURED"],
      [15, 30, 0, 300, "MEASURED"],
    ]);
  });

  test("is estimated where no reading falls on the edge, from two that are close enough", () => {
    expect(brief(intervalsOf([0, 0], [14, 1400], [16, 1600], [30, 3000]))).toEqual([
      [0, 15, 1500, undefined, "ESTIMATED"],
      [15, 30, 1500, undefined, "ESTIMATED"],
    ]);
  });

  test("needs no estimate where the register stood still", () => {
    expect(brief(intervalsOf([0, 0], [14, 700], [16, 700], [30, 900]))).toEqual([
      [0, 15, 700, undefined, "MEASURED"],
      [15, 30, 200, undefined, "MEASURED"],
    ]);
  });

  test("is not guessed over a gap: the gap is told, with what the register rose by", () => {
    const intervals = intervalsOf([0, 0], [13, 1300], [16, 1600], [30, 3000]);
    expect(brief(intervals)).toEqual([
      [0, 13, 1300, undefined, "MEASURED"],
      [13, 16, 300, undefined, "GAP"],
      [16, 30, 1400, undefined, "MEASURED"],
    ]);
    expect(intervals[1]?.reason).toBe("no reading for 180 s");
  });

  test("is known over a silence inside the interval, since the register went on counting", () => {
    expect(brief(intervalsOf([0, 0], [1, 100], [14, 1400], [15, 1500]))).toEqual([
      [0, 15, 1500, undefined, "MEASURED"],
    ]);
  });

  test("starts anew where a register falls, and nothing is known of what lies between", () => {
    const intervals = intervalsOf([0, 99_000], [5, 99_500], [6, 20], [15, 920]);
    expect(brief(intervals)).toEqual([
      [0, 5, 500, undefined, "MEASURED"],
      [5, 6, undefined, undefined, "GAP"],
      [6, 15, 900, undefined, "MEASURED"],
    ]);
    expect(intervals[1]?.reason).toMatch(/import register fell from 99500 to 20 Wh/);
  });

  test("of a meter without an export register has no export, which is not zero", () => {
    expect(intervalsOf([0, 5], [15, 9])[0]).not.toHaveProperty("exportWh");
  });
});

describe("a reading", () => {
  test("that comes late, twice or without its registers changes nothing, and is counted", () => {
    const meter = meterOf();
    meter.add(sample(0, 0));
    meter.add(sample(10, 1000));
    expect(meter.add(sample(10, 4000))).toEqual([]);
    expect(meter.add(sample(9, 900))).toEqual([]);
    expect(meter.add(sample(11))).toEqual([]);
    expect(brief(meter.add(sample(15, 1500)))).toEqual([[0, 15, 1500, undefined, "MEASURED"]]);
    expect(meter.ignored).toBe(3);
  });

  test("that lacks one register for long is a gap, and the other register goes on", () => {
    expect(brief(intervalsOf([0, 0, 0], [1, 100], [3, 300], [15, 1500]))).toEqual([
      [0, 3, 300, undefined, "GAP"],
      [3, 15, 1200, undefined, "MEASURED"],
    ]);
  });

  test("after a restart goes on from the registers that were noted before", () => {
    const meter = meterOf({ ...sample(7, 700), isEstimated: false });
    expect(brief(meter.add(sample(14, 1400)))).toEqual([]);
    expect(brief(meter.add(sample(15, 1500)))).toEqual([[7, 15, 800, undefined, "MEASURED"]]);
    const long = meterOf({ ...sample(7, 700), isEstimated: false });
    expect(brief(long.add(sample(40, 4000)))).toEqual([[7, 40, 3300, undefined, "GAP"]]);
  });
});
