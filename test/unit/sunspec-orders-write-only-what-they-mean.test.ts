import { describe, expect, test } from "vitest";
import { ModbusError } from "../../adapters/modbus/link/modbus-error.ts";
import type { Facts } from "../../adapters/modbus/sunspec/sunspec-device.ts";
import { SunSpecError } from "../../adapters/modbus/sunspec/sunspec-error.ts";
import type { ResourceKind } from "../../src/model/resource.ts";
import { benchDevice } from "./sunspec-device-bench.ts";
import { illegalAddress, mapOf, modelData, RegisterImage } from "./sunspec-register-image.ts";

const never = new AbortController().signal;

const NONE = 0xffff;
const INT_NONE = 0x8000;
const NAMEPLATE = modelData(26, NONE, { 3: 5000, 4: 0, 19: 900, 20: 1, 23: 4000, 24: 0, 25: 5000, 26: 0 });
const SETTINGS = modelData(30, NONE, { 2: 4600, 22: 0 });

function device(kind: ResourceKind, models: readonly (readonly [number, readonly number[]])[]) {
  const image = new RegisterImage(40_000, mapOf([[1, modelData(66, 0, {})], ...models]));
  const { device: sunspec, control } = benchDevice(image, kind);
  return { image, sunspec, control };
}

async function startOf(sunspec: { discover(signal: AbortSignal): Promise<Facts> }): Promise<number> {
  const facts = await sunspec.discover(never);
  return facts.control?.entry.address ?? Number.NaN;
}

/** Writes as offsets from the control model. */
function written(image: RegisterImage, start: number) {
  return image.writes.map(({ address, values }) => ({ offset: address - start, values }));
}

describe("a solar limit in model 123", () => {
  const controls = modelData(24, NONE, { 4: 0, 5: 10_000, 6: 5, 7: 0, 8: 30, 9: 0, 23: -2 });
  const solar = () =>
    device("solar", [
      [120, NAMEPLATE],
      [121, SETTINGS],
      [123, controls],
    ]);

  test("goes out as one request of five registers, in percent of what the installer set, and keeps the ramp", async () => {
    const { image, sunspec, control } = solar();
    const start = await startOf(sunspec);
    const order = await control.hold(2.3, 60, "order", never);
    expect(written(image, start)).toEqual([{ offset: 5, values: [5000, 0, 60, 30, 1] }]);
    expect(order).toMatchObject({ appliedKW: 2.3, arming: { armed: true, seconds: 60 } });
    expect(order.command).toContain("50.00 % of 4.6 kW");
  });

  test("release takes the limit off first, then brings every register back", async () => {
    const { image, sunspec, control } = solar();
    const start = await startOf(sunspec);
    await control.hold(2.3, 60, "order", never);
    await control.hold(1.1, 60, "order", never);
    image.writes.length = 0;
    await control.restore(never);
    expect(written(image, start)).toEqual([
      { offset: 9, values: [0] },
      { offset: 5, values: [10_000, 5, 0, 30] },
    ]);
    expect(control.touched).toBe(false);
    await control.restore(never);
    expect(image.writes).toHaveLength(2);
  });

  test("a limit whose timer was running is somebody's command, not the baseline", async () => {
    const { image, sunspec, control } = device("solar", [
      [121, SETTINGS],
      [123, modelData(24, NONE, { 5: 3000, 7: 60, 9: 1, 23: -2 })],
    ]);
    const start = await startOf(sunspec);
    await control.hold(2.3, 60, "order", never);
    await control.restore(never);
    expect(image.words[start + 9 - 40_000]).toBe(0);
  });

  test("a device that keeps its old value is a refusal, one that shows a third is nonsense", async () => {
    const deaf = solar();
    await startOf(deaf.sunspec);
    deaf.image.onWrite = () => false;
    await expect(deaf.control.hold(2.3, 60, "order", never)).rejects.toMatchObject({ fault: "refused" });

    const odd = solar();
    const start = await startOf(odd.sunspec);
    odd.image.onWrite = (address, values) => {
      odd.image.words.splice(address - 40_000, values.length, ...values);
      odd.image.words[start + 5 - 40_000] = 777;
      return false;
    };
    const error = await odd.control.hold(2.3, 60, "order", never).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(SunSpecError);
    expect(error).toMatchObject({ fault: "protocol" });
    expect(String(error)).toContain("WMaxLimPct reads 777 after 5000");
    // What the device now holds is unknown, so there is something to restore.
    expect(odd.control.touched).toBe(true);
  });

  test("a device that refuses the first request holds nothing of ours", async () => {
    const { image, sunspec, control } = solar();
    await startOf(sunspec);
    image.onWrite = () => {
      throw illegalAddress();
    };
    await expect(control.hold(2.3, 60, "order", never)).rejects.toBeInstanceOf(ModbusError);
    expect(control.touched).toBe(false);
  });

  test("a busy device is asked again, a few times", async () => {
    const { image, sunspec, control } = solar();
    await startOf(sunspec);
    let asked = 0;
    image.onWrite = () => {
      asked += 1;
      if (asked < 3) throw new ModbusError("exception", "exception 6", { code: 6 });
      return true;
    };
    expect((await control.hold(2.3, 60, "order", never)).appliedKW).toBe(2.3);
    expect(asked).toBe(3);
  });

  test("without the rating to which percentages refer nothing is written", async () => {
    const { image, sunspec, control } = device("solar", [[123, controls]]);
    await startOf(sunspec);
    await expect(control.hold(2.3, 60, "order", never)).rejects.toMatchObject({ fault: "refused" });
    expect(image.writes).toEqual([]);
  });

  test("one that sleeps refuses, and nothing is written", async () => {
    const { image, sunspec, control } = solar();
    const start = await startOf(sunspec);
    image.words.fill(NONE, start + 2 - 40_000, start + 26 - 40_000);
    await expect(control.hold(2.3, 60, "order", never)).rejects.toMatchObject({ fault: "refused" });
    expect(image.writes).toEqual([]);
  });
});

test("a device that slept when it was found can be controlled when it wakes, with the installer's new rating", async () => {
  const { image, sunspec, control } = device("solar", [
    [121, SETTINGS],
    [123, modelData(24, NONE, {})],
  ]);
  const asleep = await sunspec.discover(never);
  expect(asleep.control).toBeUndefined();
  const controls = asleep.chain.models.at(-1)?.address ?? 0;
  for (const [offset, word] of [
    [5, 100],
    [7, 0],
    [9, 0],
    [23, 0],
  ] as const) {
    image.words[controls + offset - 40_000] = word;
  }
  image.words[(asleep.chain.models[1]?.address ?? 0) + 2 - 40_000] = 4000;
  await sunspec.refreshFacts(never);
  expect(sunspec.facts).toMatchObject({ ratings: { legacyMaxKW: 4 }, hasTimer: true });
  expect((await control.hold(2, 60, "order", never)).appliedKW).toBe(2);
});

describe("a battery setpoint in model 704", () => {
  const capacity = modelData(50, NONE, { 26: 500, 34: 400, 35: 500, 45: 1 });
  const der = (rest: Readonly<Record<number, number>>) =>
    modelData(65, NONE, {
      22: 0,
      23: 0,
      24: 0,
      25: 0,
      26: 0,
      27: 0,
      28: 0,
      29: 0,
      30: 0,
      31: 0,
      32: 0,
      55: 0,
      56: 0,
      ...rest,
    });

  test("goes out as one request of eleven registers: watts with a sign, what to fall back to, and when", async () => {
    const { image, sunspec, control } = device("battery", [
      [702, capacity],
      [704, der({ 28: 33 })],
    ]);
    const start = await startOf(sunspec);
    const order = await control.hold(-3.5, 60, "order", never);
    expect(written(image, start)).toEqual([
      { offset: 22, values: [1, 1, 0xffff, 0x10000 - 3500, 0, 0, 33, 0, 0, 0, 60] },
    ]);
    expect(order).toMatchObject({ appliedKW: -3.5, arming: { armed: true, seconds: 60 } });
  });

  test("registers that are not there are left out, and the enabling ones go last", async () => {
    const { image, sunspec, control } = device("battery", [
      [702, capacity],
      [704, der({ 28: INT_NONE, 29: INT_NONE, 56: INT_NONE })],
    ]);
    const start = await startOf(sunspec);
    await control.hold(2, 60, "order", never);
    expect(written(image, start)).toEqual([
      { offset: 30, values: [0, 0, 60] },
      { offset: 22, values: [1, 1, 0, 2000, 0, 0] },
    ]);
  });

  test("charging and discharging have their own ratings", async () => {
    const { sunspec } = device("battery", [
      [702, capacity],
      [704, der({})],
    ]);
    const { control, ratings } = await sunspec.discover(never);
    expect(control?.control.range(ratings)).toEqual({ minPowerKW: -4, maxPowerKW: 5 });
  });
});

describe("forced rates in model 124", () => {
  const storage = modelData(24, NONE, { 2: 4000, 5: 0, 12: 10_000, 13: 10_000, 15: 0, 17: 0, 18: 0, 25: -2 });
  const battery = () =>
    device("battery", [
      [120, NAMEPLATE],
      [124, storage],
    ]);

  test("a charge is a negative discharge, in percent of the discharging power, and its mode goes last", async () => {
    const { image, sunspec, control } = battery();
    const start = await startOf(sunspec);
    const order = await control.hold(-2, 60, "order", never);
    expect(written(image, start)).toEqual([
      { offset: 12, values: [0x10000 - 4000, 10_000] },
      { offset: 15, values: [60] },
      { offset: 5, values: [2] },
    ]);
    expect(order.appliedKW).toBe(-2);
  });

  test("a discharge is a negative charge, in percent of the charging power", async () => {
    const { image, sunspec, control } = battery();
    const start = await startOf(sunspec);
    await control.hold(2, 60, "order", never);
    expect(image.words.slice(start + 12 - 40_000, start + 14 - 40_000)).toEqual([10_000, 0x10000 - 5000]);
    expect(image.words[start + 5 - 40_000]).toBe(1);
    // What an installer allows of the grid is not ours to change.
    expect(written(image, start).some(({ offset, values }) => offset <= 17 && offset + values.length > 17)).toBe(false);
  });

  test("0 stops both directions, and release lets both go", async () => {
    const { image, sunspec, control } = battery();
    const start = await startOf(sunspec);
    await control.hold(0, 60, "order", never);
    expect(image.words[start + 5 - 40_000]).toBe(3);
    await control.restore(never);
    expect(image.words[start + 5 - 40_000]).toBe(0);
    expect(image.words.slice(start + 12 - 40_000, start + 14 - 40_000)).toEqual([10_000, 10_000]);
  });
});
