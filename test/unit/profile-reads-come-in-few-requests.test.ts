import { afterEach, expect, test } from "vitest";
import { ModbusLink } from "../../adapters/modbus/link/modbus-link.ts";
import { loadProfile } from "../../adapters/modbus/profile/load-profile.ts";
import { placePoints } from "../../adapters/modbus/profile/point.ts";
import { PointReader } from "../../adapters/modbus/profile/point-reader.ts";
import { pointSchema } from "../../adapters/modbus/profile/point-schema.ts";
import { profileFileOf } from "../../adapters/modbus/profile/profile-files.ts";
import { profileSchema } from "../../adapters/modbus/profile/profile-schema.ts";
import { planReads } from "../../adapters/modbus/profile/read-plan.ts";
import { portOver } from "../../adapters/modbus/profile/unit-port.ts";
import { systemClock as clock } from "../../src/clock.ts";
import { silentLog as log } from "../../src/log.ts";
import { ModbusDevice } from "../support/modbus-device.ts";

const never = new AbortController().signal;
const open: AsyncDisposable[] = [];
afterEach(async () => {
  for (const each of open.splice(0).reverse()) await each[Symbol.asyncDispose]();
});

function pointsOf(rows: Readonly<Record<string, object>>) {
  const profile = profileSchema.parse({
    id: "test-box",
    title: "box",
    vendor: "x",
    kind: "meter",
    sources: [{ id: "manual", title: "x" }],
    points: Object.fromEntries(Object.entries(rows).map(([name, row]) => [name, pointSchema.parse(row)])),
  });
  return placePoints(profile, 1);
}

async function readerOver(device: ModbusDevice, rows: Readonly<Record<string, object>>, maxGap = 8, maxRead = 125) {
  const at = await device.listen();
  const link = new ModbusLink(at, { clock, log, random: () => 0 });
  open.push(device, link);
  const port = portOver(link, { unit: 1, timeoutMs: 1000, gapMs: 0 });
  return { port, reader: new PointReader(port, pointsOf(rows), { maxGap, maxRead }) };
}

const ranges = (device: ModbusDevice) => device.requests.map(({ fc, address, count }) => [fc, address, count]);

test("neighbours come in one request, and each space has its own", async () => {
  const device = new ModbusDevice(1).put("holding", 0, 10, 20, 30, 40, 50).put("input", 3, 7);
  device.put("coil", 5, 1, 0, 1).put("discrete", 9, 1);
  const { reader } = await readerOver(device, {
    a: { register: 0 },
    b: { register: 3, type: "u32" },
    c: { register: 3, space: "input" },
    d: { register: 5, space: "coil", type: "bit" },
    e: { register: 7, space: "coil", type: "bit" },
    f: { register: 9, space: "discrete", type: "bit" },
  });
  await reader.read(["a", "b", "c", "d", "e", "f"], "fast", never);
  expect(ranges(device).sort()).toEqual([
    [1, 5, 3],
    [2, 9, 1],
    [3, 0, 5],
    [4, 3, 1],
  ]);
  expect(["a", "b", "c", "d", "e", "f"].map(reader.look)).toEqual([10, 40 * 65_536 + 50, 7, 1, 1, 1]);
});

test("a gap that the device refuses is left out from then on, and a point that is not there is absent", async () => {
  const device = new ModbusDevice(1).put("holding", 0, 1).put("holding", 4, 5).put("holding", 6, 7);
  const rows = { a: { register: 0 }, b: { register: 4 }, c: { register: 5 }, d: { register: 6 } };
  const { reader } = await readerOver(device, rows);
  await reader.read(["a", "b", "c", "d"], "fast", never);
  expect(["a", "b", "c", "d"].map(reader.look)).toEqual([1, 5, undefined, 7]);
  expect([...reader.missing]).toEqual(["c"]);
  device.requests.length = 0;
  await reader.read(["a", "b", "c", "d"], "fast", never);
  expect(ranges(device)).toEqual([
    [3, 0, 1],
    [3, 4, 1],
    [3, 6, 1],
  ]);
  // An update brings it: asked for again, it is there.
  device.put("holding", 5, 6);
  reader.forgetMissing();
  await reader.read(["a", "b", "c", "d"], "fast", never);
  expect(reader.look("c")).toBe(6);
});

test("no request is longer than the device allows", async () => {
  const device = new ModbusDevice(1);
  device.maxRead = 20;
  const rows: Record<string, object> = {};
  for (let register = 0; register < 90; register += 2) {
    device.put32("holding", register, register);
    rows[`p${register}`] = { register, type: "u32" };
  }
  const { reader } = await readerOver(device, rows, 8, 20);
  await reader.read(Object.keys(rows), "fast", never);
  expect(device.requests).toHaveLength(5);
  expect(reader.look("p88")).toBe(88);
});

test("a value keeps the scale that was read with it, and has none where the scale is not there", async () => {
  const device = new ModbusDevice(1).put("holding", 0, 1234, 0xffff);
  const { reader } = await readerOver(device, {
    w: { register: 0, scaleFrom: "sf" },
    sf: { register: 1, type: "i16" },
  });
  await reader.read(["w"], "fast", never);
  expect(reader.look("w")).toBe(123.4);
  device.put("holding", 1, 0x8000);
  await reader.read(["w"], "fast", never);
  expect(reader.look("w")).toBeUndefined();
});

test("writes go before reads that wait, and fast reads before slow ones", async () => {
  const device = new ModbusDevice(1).put("holding", 0, 0, 0, 0, 0);
  const { port } = await readerOver(device, { a: { register: 0 } });
  await port.open(never);
  await Promise.all([
    port.read("holding", 0, 1, "fast", never),
    port.read("holding", 1, 1, "slow", never),
    port.read("holding", 2, 1, "fast", never),
    port.write("holding", 3, [9], 6, never),
  ]);
  expect(device.requests.map(({ fc, address }) => [fc, address])).toEqual([
    [3, 0],
    [6, 3],
    [3, 2],
    [3, 1],
  ]);
});

test("the meter that comes with setpointd takes five times less requests than one a value", () => {
  const profile = loadProfile(profileFileOf("eastron-sdm630") ?? "");
  const points = [...placePoints(profile, 1).values()];
  expect(planReads(points, profile.limits).length * 5).toBeLessThanOrEqual(points.length);
});
