import { describe, expect, test } from "vitest";
import { type Bench, exceptionOf, openBench, signed } from "./inverter-simulator-bench.ts";

// Model 124, offsets from its ID: StorCtl_Mod 5, ChaSt 11, OutWRte 12, InWRte 13, RvrtTms 15, ChaGriSet 17.
const word = (percent: number) => (percent * 100) & 0xffff;

async function order(bench: Bench, mode: number, outPercent: number, inPercent: number): Promise<void> {
  await bench.write(124, 12, [word(outPercent), word(inPercent)]);
  await bench.writeOne(124, 5, mode);
  bench.settle();
}

const charged = async (bench: Bench) => signed((await bench.read(103, 14, 1))[0]) / 100;

describe("a battery under model 124", () => {
  test("does what it likes until it is told", async () => {
    await using bench = await openBench("battery");
    bench.settle();
    expect(bench.simulator.powerKW()).toBeCloseTo(0.3, 2);
    expect(bench.simulator.underControl()).toBe(false);
    expect(await bench.read(124, 11, 1)).toEqual([3]);
  });

  test("a negative discharge limit forces it to charge", async () => {
    await using bench = await openBench("battery");
    await order(bench, 2, -40, 100);
    expect(bench.simulator.powerKW()).toBeCloseTo(-2, 2);
    expect(await charged(bench)).toBeCloseTo(-2, 2);
    expect(await bench.read(124, 11, 1)).toEqual([4]);
    expect(bench.simulator.underControl()).toBe(true);
  });

  test("a negative charge limit forces it to discharge", async () => {
    await using bench = await openBench("battery");
    await order(bench, 1, 100, -60);
    expect(bench.simulator.powerKW()).toBeCloseTo(3, 2);
    expect(await bench.read(124, 11, 1)).toEqual([3]);
  });

  test("a limit whose bit is not set means nothing", async () => {
    await using bench = await openBench("battery");
    await order(bench, 1, -40, 100);
    expect(bench.simulator.powerKW()).toBeCloseTo(0.3, 2);
    await order(bench, 0, -40, -40);
    expect(bench.simulator.powerKW()).toBeCloseTo(0.3, 2);
    expect(bench.simulator.underControl()).toBe(false);
  });

  test("zero holds one direction and leaves the other", async () => {
    await using discharging = await openBench("battery", { idleKW: 0.3 });
    await order(discharging, 2, 0, 100);
    expect(discharging.simulator.powerKW()).toBeCloseTo(0, 2);
    expect(await discharging.read(124, 11, 1)).toEqual([6]);
    await using charging = await openBench("battery", { idleKW: -1 });
    await order(charging, 2, 0, 100);
    expect(charging.simulator.powerKW()).toBeCloseTo(-1, 2);
    await order(charging, 1, 100, 20);
    expect(charging.simulator.powerKW()).toBeCloseTo(-1, 2);
    await order(charging, 1, 100, 10);
    expect(charging.simulator.powerKW()).toBeCloseTo(-0.5, 2);
  });

  test("goes back to its own default when nothing is written for the reversion time", async () => {
    await using bench = await openBench("battery");
    await bench.writeOne(124, 15, 120);
    await order(bench, 2, -40, 100);
    bench.clock.advance(109_000);
    expect(bench.simulator.underControl()).toBe(true);
    bench.clock.advance(1_000);
    expect(bench.simulator.underControl()).toBe(false);
    expect(await bench.read(124, 5, 1)).toEqual([0]);
    bench.settle();
    expect(bench.simulator.powerKW()).toBeCloseTo(0.3, 2);
  });

  test("does not charge from the grid when that is forbidden", async () => {
    await using bench = await openBench("battery");
    await bench.writeOne(124, 17, 0);
    await order(bench, 2, -40, 100);
    expect(bench.simulator.powerKW()).toBe(0);
  });

  test("stands still when both sides are asked for at once", async () => {
    await using bench = await openBench("battery");
    await order(bench, 3, -40, -40);
    expect(bench.simulator.powerKW()).toBe(0);
  });

  test("the limit of model 123 stands above it", async () => {
    await using bench = await openBench("battery");
    await order(bench, 1, 100, -60);
    await bench.writeOne(123, 5, 2000);
    await bench.writeOne(123, 9, 1);
    bench.settle();
    expect(bench.simulator.powerKW()).toBeCloseTo(1, 2);
  });

  test("no order lifts it above the installer's WMax", async () => {
    await using bench = await openBench("battery");
    await bench.writeOne(121, 2, 200);
    await order(bench, 1, 100, -60);
    expect(bench.simulator.powerKW()).toBeCloseTo(2, 2);
  });

  test.each([
    ["a rate beyond −100 %", 12, word(-100.01)],
    ["a rate beyond 100 %", 13, word(100.01)],
    ["a mode with unknown bits", 5, 4],
    ["a charging limit above the nameplate", 2, 501],
  ])("refuses %s", async (_, offset, value) => {
    await using bench = await openBench("battery");
    expect(await exceptionOf(bench.writeOne(124, offset, value))).toBe(3);
  });

  test("a full battery takes no more, whatever it is told", async () => {
    await using bench = await openBench("battery");
    await order(bench, 2, -100, 100);
    for (let hour = 0; hour < 40; hour++) {
      bench.clock.advance(600_000);
      bench.simulator.powerKW();
    }
    bench.settle();
    expect(await bench.read(124, 8, 1)).toEqual([10_000]);
    expect(bench.simulator.powerKW()).toBeCloseTo(0, 2);
    expect(await bench.read(124, 11, 1)).toEqual([5]);
  });
});
