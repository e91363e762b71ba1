import { describe, expect, test } from "vitest";
import { InverterSimulator } from "../../simulators/inverter/inverter-simulator.ts";
import { Battery } from "../../simulators/world/battery.ts";
import { silentLog } from "../../src/log.ts";
import { exceptionOf, HandClock, openBench } from "./inverter-simulator-bench.ts";

const HOLE = 0xffff;
const LIMIT_30_PERCENT = [3000, HOLE, 0, HOLE, 1];

describe("a device that", () => {
  test("refuses says no to controls and to nothing else", async () => {
    await using bench = await openBench("solar");
    bench.simulator.behaviour.refuses = true;
    expect(await exceptionOf(bench.write(123, 5, LIMIT_30_PERCENT))).toBe(3);
    expect(bench.simulator.underControl()).toBe(false);
    expect(await bench.read(123, 9, 1)).toEqual([0]);
    await bench.writeOne(121, 2, 900);
    bench.simulator.behaviour.refuses = false;
    await bench.write(123, 5, LIMIT_30_PERCENT);
    expect(bench.simulator.underControl()).toBe(true);
  });

  test("ignores writes reads back as if it obeyed, and its power tells", async () => {
    await using bench = await openBench("solar");
    await bench.write(123, 5, [5000, HOLE, 0, HOLE, 1]);
    bench.simulator.behaviour.ignoresWrites = true;
    await bench.write(123, 5, LIMIT_30_PERCENT);
    expect(await bench.read(123, 5, 1)).toEqual([3000]);
    bench.settle();
    expect(bench.simulator.powerKW()).toBeCloseTo(5, 2);
    bench.simulator.behaviour.ignoresWrites = false;
    await bench.write(123, 5, LIMIT_30_PERCENT);
    bench.settle();
    expect(bench.simulator.powerKW()).toBeCloseTo(3, 2);
  });

  test("ignores writes is not under control", async () => {
    await using bench = await openBench("battery", { map: "der", behaviour: { ignoresWrites: true } });
    await bench.write(704, 14, [1, 0]);
    expect(bench.simulator.underControl()).toBe(false);
    expect(await bench.read(701, 111, 2)).toEqual([0, 0]);
  });

  test("rejects function 16 still takes single registers", async () => {
    await using bench = await openBench("solar", { behaviour: { rejectsWriteMultiple: true } });
    expect(await exceptionOf(bench.write(123, 5, [3000]))).toBe(1);
    await bench.writeOne(123, 5, 3000);
    await bench.writeOne(123, 9, 1);
    expect(bench.simulator.underControl()).toBe(true);
    expect(bench.simulator.writes).toEqual([
      { address: 40_233, values: [3000], functionCode: 16 },
      { address: 40_233, values: [3000], functionCode: 6 },
      { address: 40_237, values: [1], functionCode: 6 },
    ]);
  });

  test("is silent gives no answer, and answers again when it wakes", async () => {
    await using bench = await openBench("solar");
    const client = await bench.client();
    client.setTimeout(100);
    bench.simulator.behaviour.silent = true;
    await expect(client.readHoldingRegisters(bench.base, 2)).rejects.toMatchObject({ errno: "ETIMEDOUT" });
    bench.simulator.behaviour.silent = false;
    expect((await client.readHoldingRegisters(bench.base, 2)).data).toEqual([0x5375, 0x6e53]);
  });

  test("talks nonsense never gives a client a right answer", async () => {
    await using bench = await openBench("solar", { behaviour: { maxConnections: 20 } });
    bench.simulator.behaviour.talksNonsense = true;
    for (let attempt = 0; attempt < 6; attempt++) {
      const client = await bench.client();
      client.setTimeout(80);
      await expect(client.readHoldingRegisters(bench.base, 2)).rejects.toBeDefined();
    }
    bench.simulator.behaviour.talksNonsense = false;
    const client = await bench.client();
    expect((await client.readHoldingRegisters(bench.base, 2)).data).toEqual([0x5375, 0x6e53]);
  });

  test("is written to for a long time remembers only the last writes", async () => {
    await using bench = await openBench("solar");
    for (let index = 0; index <= 1200; index++) await bench.writeOne(123, 5, index);
    expect(bench.simulator.writes.length).toBeLessThanOrEqual(1000);
    expect(bench.simulator.writes.at(-1)?.values).toEqual([1200]);
  });
});

describe("starting and stopping", () => {
  test("after disposal no socket, no timer and no listener is left", async () => {
    const bench = await openBench("solar");
    expect(bench.clock.sleeping).toBe(1);
    await bench[Symbol.asyncDispose]();
    expect(bench.clock.sleeping).toBe(0);
    await expect(bench.client()).rejects.toMatchObject({ code: "ECONNREFUSED" });
  });

  test("one that never listened is disposed as well, twice too", async () => {
    const clock = new HandClock();
    const source = new Battery(clock, { capacityKWh: 10, socPercent: 50, maxChargeKW: 5, maxDischargeKW: 5 });
    const simulator = new InverterSimulator({ kind: "battery", source, clock, log: silentLog, map: "der" });
    await simulator[Symbol.asyncDispose]();
    await simulator[Symbol.asyncDispose]();
  });

  test("a taken port is an error, and does not end the process", async () => {
    await using bench = await openBench("solar");
    const clock = new HandClock();
    const source = new Battery(clock, { capacityKWh: 10, socPercent: 50, maxChargeKW: 5, maxDischargeKW: 5 });
    await using second = new InverterSimulator({ kind: "battery", source, clock, log: silentLog, map: "der" });
    await expect(second.listen(bench.port)).rejects.toMatchObject({ code: "EADDRINUSE" });
  });

  test("panels are no battery", () => {
    const clock = new HandClock();
    const source = new Battery(clock, { capacityKWh: 10, socPercent: 50, maxChargeKW: 5, maxDischargeKW: 5 });
    expect(() => new InverterSimulator({ kind: "solar", source, clock, log: silentLog, map: "der" })).toThrow(
      TypeError,
    );
  });
});
