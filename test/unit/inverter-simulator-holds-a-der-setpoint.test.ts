import { describe, expect, test } from "vitest";
import { exceptionOf, openBench } from "./inverter-simulator-bench.ts";

// Model 704, offsets from its ID: limit block 14-21, set block 22-34. WSet in tens of watts, WMaxLimPct in tenths,
// WSetPct in hundredths.
const long = (value: number) => [(value >> 16) & 0xffff, value & 0xffff];
const WATTS = 1;
const PERCENT = 0;

/** Ena, Mod, WSet, WSetRvrt, Pct, PctRvrt, EnaRvrt, RvrtTms. */
const setBlock = (powerKW: number, reversionS: number, fallback = { powerKW: 0, enabled: 0 }) => [
  1,
  WATTS,
  ...long(powerKW * 100),
  ...long(fallback.powerKW * 100),
  0,
  0,
  fallback.enabled,
  ...long(reversionS),
];

describe("a setpoint by model 704", () => {
  test("the sign is the power's: plus gives out, minus takes in", async () => {
    await using bench = await openBench("battery", { map: "der" });
    await bench.write(704, 22, setBlock(3.21, 0));
    bench.settle();
    expect(bench.simulator.powerKW()).toBeCloseTo(3.21, 2);
    await bench.write(704, 22, setBlock(-4.5, 0));
    bench.settle();
    expect(bench.simulator.powerKW()).toBeCloseTo(-4.5, 2);
    expect(await bench.read(701, 111, 2)).toEqual([0, 2]);
  });

  test("in percent mode it is percent of WMax", async () => {
    await using bench = await openBench("battery", { map: "der" });
    await bench.write(704, 28, [-2000 & 0xffff]);
    await bench.write(704, 22, [1, PERCENT]);
    bench.settle();
    expect(bench.simulator.powerKW()).toBeCloseTo(-1, 2);
  });

  test("the time left counts down, starts again with each write, and ends in the fallback", async () => {
    await using bench = await openBench("battery", { map: "der" });
    await bench.write(704, 22, setBlock(-2, 60, { powerKW: 1, enabled: 1 }));
    expect(await bench.read(704, 33, 2)).toEqual([0, 60]);
    bench.clock.advance(25_500);
    expect(await bench.read(704, 33, 2)).toEqual([0, 35]);
    await bench.write(704, 22, setBlock(-2, 60, { powerKW: 1, enabled: 1 }));
    expect(await bench.read(704, 33, 2)).toEqual([0, 60]);
    bench.clock.advance(60_000);
    expect(await bench.read(704, 33, 2)).toEqual([0, 0]);
    expect(await bench.read(704, 22, 4)).toEqual([1, WATTS, 0, 100]);
    bench.settle();
    expect(bench.simulator.powerKW()).toBeCloseTo(1, 2);
  });

  test("with a disabled fallback the battery is free again", async () => {
    await using bench = await openBench("battery", { map: "der" });
    await bench.write(704, 22, setBlock(-2, 60));
    bench.clock.advance(60_000);
    expect(bench.simulator.underControl()).toBe(false);
    bench.settle();
    expect(bench.simulator.powerKW()).toBeCloseTo(0.3, 2);
  });

  test("panels follow a setpoint only as far as the sun allows, and refuse to absorb", async () => {
    await using bench = await openBench("solar", { map: "der" });
    await bench.write(704, 22, setBlock(9.5, 0));
    bench.settle();
    expect(bench.simulator.powerKW()).toBeCloseTo(8, 2);
    await bench.write(704, 22, setBlock(2, 0));
    bench.settle();
    expect(bench.simulator.powerKW()).toBeCloseTo(2, 2);
    expect(await exceptionOf(bench.write(704, 22, setBlock(-2, 0)))).toBe(3);
  });
});

describe("a limit by model 704", () => {
  test("bounds generation, goes back to its fallback, and leaves charging alone", async () => {
    await using bench = await openBench("solar", { map: "der" });
    await bench.write(704, 14, [1, 400, 700, 1, ...long(90)]);
    bench.settle();
    expect(bench.simulator.powerKW()).toBeCloseTo(4, 2);
    expect(await bench.read(701, 110, 3)).toEqual([40, 0, 1]);
    expect(await bench.read(701, 4, 1)).toEqual([4]);
    bench.clock.advance(90_000);
    bench.settle();
    expect(bench.simulator.powerKW()).toBeCloseTo(7, 2);
    expect(await bench.read(704, 14, 2)).toEqual([1, 700]);
    await using battery = await openBench("battery", { map: "der" });
    await battery.write(704, 22, setBlock(-3, 0));
    await battery.write(704, 14, [1, 0]);
    battery.settle();
    expect(battery.simulator.powerKW()).toBeCloseTo(-3, 2);
  });

  test("that is not enabled bounds nothing", async () => {
    await using bench = await openBench("solar", { map: "der" });
    await bench.write(704, 15, [400]);
    bench.settle();
    expect(bench.simulator.powerKW()).toBeCloseTo(8, 2);
    expect(bench.simulator.underControl()).toBe(false);
  });

  test("a device without reversion has none of its points", async () => {
    await using bench = await openBench("battery", { map: "der", reversion: false });
    expect(await bench.read(704, 16, 6)).toEqual([0xffff, 0xffff, 0xffff, 0xffff, 0xffff, 0xffff]);
    expect(await bench.read(704, 31, 4)).toEqual([0xffff, 0xffff, 0xffff, 0xffff]);
    expect(await exceptionOf(bench.write(704, 22, setBlock(-2, 60)))).toBe(2);
    await bench.write(704, 22, [1, WATTS, ...long(-200)]);
    bench.clock.advance(86_400_000);
    expect(bench.simulator.underControl()).toBe(true);
  });
});

describe("what it refuses", () => {
  test.each([
    ["half of a 32-bit setpoint", 24, [0], 3],
    ["a block that ends inside a 32-bit value", 22, [1, WATTS, 0], 3],
    ["the time left, which only the device writes", 20, [0, 60], 2],
    ["a setpoint beyond the greatest discharge", 24, long(501), 3],
    ["a setpoint beyond the greatest charge", 24, long(-501), 3],
    ["more than 100 %", 15, [1001], 3],
    ["less than −100 %", 28, [-10_001 & 0xffff], 3],
    ["an unknown mode", 23, [2], 3],
    ["reactive power, which it does not control", 35, [1], 2],
  ])("%s", async (_, offset, values, code) => {
    await using bench = await openBench("battery", { map: "der" });
    expect(await exceptionOf(bench.write(704, offset, values))).toBe(code);
    expect(bench.simulator.underControl()).toBe(false);
  });
});
