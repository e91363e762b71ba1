import { expect, test } from "vitest";
import { MeterSimulator, type MeterSimulatorOptions } from "../../simulators/inverter/meter-simulator.ts";
import { parseModels } from "../../simulators/inverter/model-list.ts";
import { SiteConnection } from "../../simulators/world/site-connection.ts";
import { silentLog } from "../../src/log.ts";
import { HandClock, signed } from "./inverter-simulator-bench.ts";
import { connectTo } from "./modbus-simulator-client.ts";

/** A house that draws 3 kW under a roof that a test sets. */
async function meterOf(options: Partial<MeterSimulatorOptions> = {}) {
  const clock = new HandClock();
  const roof = { kW: 0 };
  const connection = new SiteConnection(clock, [{ powerKW: () => -3 }, { powerKW: () => roof.kW }]);
  const simulator = new MeterSimulator({ connection, clock, log: silentLog, unit: 200, ...options });
  const client = await connectTo(await simulator.listen(), { unit: 200 });
  return {
    clock,
    roof,
    client,
    simulator,
    read: async (address: number, count: number) => (await client.readHoldingRegisters(40_000 + address, count)).data,
    [Symbol.asyncDispose]: async () => {
      await client[Symbol.asyncDispose]();
      await simulator[Symbol.asyncDispose]();
    },
  };
}

/** Offset of the second model's ID. */
const METER = 70;

test("what is drawn is positive, what is fed in negative, and each has its register", async () => {
  await using meter = await meterOf();
  const watts = async () => {
    const [raw, , , , scale] = await meter.read(METER + 18, 5);
    return signed(raw) * 10 ** signed(scale);
  };
  const energy = async (offset: number) => {
    const [high = 0, low = 0] = await meter.read(METER + offset, 2);
    return high * 0x10000 + low;
  };
  expect(await meter.read(METER, 2)).toEqual([203, 105]);
  expect(await watts()).toBe(3000);
  const imported = await energy(46);
  const exported = await energy(38);
  meter.clock.advance(3_600_000);
  expect((await energy(46)) - imported).toBe(3000);
  meter.roof.kW = 5;
  expect(await watts()).toBe(-2000);
  meter.clock.advance(3_600_000);
  expect((await energy(38)) - exported).toBe(2000);
  expect((await energy(46)) - imported).toBe(3000);
});

test("one phase has one phase, and a float meter floats", async () => {
  await using meter = await meterOf({ models: parseModels("1,201,213") });
  const single = await meter.read(METER + 2, 5);
  expect(single.slice(2, 4)).toEqual([0x8000, 0x8000]);
  expect(signed(single[0])).toBe(signed(single[1]));
  const start = METER + 107;
  const [high = 0, low = 0] = await meter.read(start + 28, 2);
  const bytes = Buffer.alloc(4);
  bytes.writeUInt16BE(high, 0);
  bytes.writeUInt16BE(low, 2);
  expect(bytes.readFloatBE()).toBeCloseTo(3000, 1);
});

test("a meter that counts the other way says so in all its powers", async () => {
  await using meter = await meterOf({ meterSign: -1 });
  expect(signed((await meter.read(METER + 18, 1))[0])).toBeLessThan(0);
});

test("a meter has no controls", () => {
  const clock = new HandClock();
  const connection = new SiteConnection(clock, []);
  expect(() => new MeterSimulator({ connection, clock, log: silentLog, models: parseModels("1,123") })).toThrow(
    "a meter has no model 123",
  );
});
