import { describe, expect, test } from "vitest";
import { exceptionOf, openBench } from "./inverter-simulator-bench.ts";

// Model 123, offsets from its ID: Conn_RvrtTms 3, Conn 4, WMaxLimPct 5, RvrtTms 7, Ena 9; percent in hundredths.
const HOLE = 0xffff;

describe("a limit by model 123", () => {
  test("holds the power at percent of WMax, and only while it is enabled", async () => {
    await using bench = await openBench("solar");
    bench.settle();
    await bench.writeOne(123, 5, 3000);
    bench.settle();
    expect(bench.simulator.powerKW()).toBeCloseTo(8, 2);
    expect(bench.simulator.underControl()).toBe(false);
    await bench.writeOne(123, 9, 1);
    bench.settle();
    expect(bench.simulator.powerKW()).toBeCloseTo(3, 2);
    expect(bench.simulator.underControl()).toBe(true);
    expect(await bench.read(103, 38, 1)).toEqual([5]);
    expect(await bench.read(122, 35, 2)).toEqual([0, 1]);
    await bench.writeOne(123, 9, 0);
    bench.settle();
    expect(bench.simulator.powerKW()).toBeCloseTo(8, 2);
    expect(await bench.read(122, 35, 2)).toEqual([0, 0]);
  });

  test("follows with the delay of hardware, not at once", async () => {
    await using bench = await openBench("solar");
    bench.settle();
    await bench.write(123, 5, [3000, HOLE, 0, HOLE, 1]);
    expect(bench.simulator.powerKW()).toBeCloseTo(8, 2);
    bench.clock.advance(900);
    expect(bench.simulator.powerKW()).toBeGreaterThan(3.5);
    expect(bench.simulator.powerKW()).toBeLessThan(7);
  });

  test("percent means percent of the installer's WMax, not of the rating", async () => {
    await using bench = await openBench("solar");
    await bench.writeOne(121, 2, 600);
    await bench.write(123, 5, [5000, HOLE, 0, HOLE, 1]);
    bench.settle();
    expect(bench.simulator.powerKW()).toBeCloseTo(3, 2);
    await bench.writeOne(123, 9, 0);
    bench.settle();
    expect(bench.simulator.powerKW()).toBeCloseTo(6, 2);
    expect(await exceptionOf(bench.writeOne(121, 2, 1001))).toBe(3);
  });

  test("ends by itself when nothing is written for the reversion time", async () => {
    await using bench = await openBench("solar");
    await bench.write(123, 5, [3000, HOLE, 60, HOLE, 1]);
    bench.clock.advance(59_000);
    expect(bench.simulator.underControl()).toBe(true);
    await bench.writeOne(123, 5, 2000);
    bench.clock.advance(59_000);
    expect(bench.simulator.underControl()).toBe(true);
    bench.clock.advance(1_000);
    expect(bench.simulator.underControl()).toBe(false);
    expect(await bench.read(123, 9, 1)).toEqual([0]);
    bench.settle();
    expect(bench.simulator.powerKW()).toBeCloseTo(8, 2);
  });

  test("with a reversion time of 0 it stays", async () => {
    await using bench = await openBench("solar");
    await bench.write(123, 5, [3000, HOLE, 0, HOLE, 1]);
    bench.clock.advance(7 * 86_400_000);
    expect(bench.simulator.underControl()).toBe(true);
  });

  test("a device without reversion says so, and takes no time", async () => {
    await using bench = await openBench("solar", { reversion: false });
    expect(await bench.read(123, 7, 1)).toEqual([HOLE]);
    expect(await exceptionOf(bench.write(123, 5, [3000, HOLE, 60, HOLE, 1]))).toBe(2);
    expect(bench.simulator.underControl()).toBe(false);
    await bench.write(123, 5, [3000, HOLE, HOLE, HOLE, 1]);
    bench.clock.advance(86_400_000);
    expect(bench.simulator.underControl()).toBe(true);
  });

  test("a command to disconnect takes the device off the grid until its time is over", async () => {
    await using bench = await openBench("solar");
    await bench.write(123, 3, [30, 0]);
    bench.settle();
    expect(bench.simulator.powerKW()).toBe(0);
    expect(bench.simulator.underControl()).toBe(true);
    expect(await bench.read(103, 38, 1)).toEqual([1]);
    expect(await bench.read(122, 4, 1)).toEqual([0]);
    expect(await bench.read(122, 35, 2)).toEqual([0, 0]);
    bench.clock.advance(30_000);
    bench.settle();
    expect(bench.simulator.powerKW()).toBeCloseTo(8, 2);
    expect(await bench.read(123, 4, 1)).toEqual([1]);
  });
});

describe("what it refuses", () => {
  test.each([
    ["more than 100 %", 5, [10_001], 3],
    ["the not-implemented code as a value", 5, [0xffff], 3],
    ["an enable that is neither 0 nor 1", 9, [2], 3],
    ["a point that it does not have", 6, [0], 2],
    ["a power factor, which is locked", 10, [95], 2],
    ["a scale factor", 23, [0], 2],
    ["the model's own id", 0, [123], 2],
    ["a block that runs into the next model", 24, [0, 0, 0], 2],
  ])("%s", async (_, offset, values, code) => {
    await using bench = await openBench("battery");
    expect(await exceptionOf(bench.write(123, offset, values))).toBe(code);
  });

  test("measurement, nameplate and state are read-only", async () => {
    await using bench = await openBench("solar");
    expect(await exceptionOf(bench.writeOne(103, 14, 0))).toBe(2);
    expect(await exceptionOf(bench.writeOne(120, 3, 0))).toBe(2);
    expect(await exceptionOf(bench.writeOne(122, 35, 0))).toBe(2);
    expect(await exceptionOf(bench.writeOne(1, 2, 0))).toBe(2);
  });

  test("a block with one bad value changes nothing", async () => {
    await using bench = await openBench("solar");
    const before = await bench.read(123, 5, 5);
    expect(await exceptionOf(bench.write(123, 5, [3000, HOLE, 60, HOLE, 7]))).toBe(3);
    expect(await bench.read(123, 5, 5)).toEqual(before);
    expect(bench.simulator.underControl()).toBe(false);
  });
});
