import { afterEach, describe, expect, test } from "vitest";
import { profileIds } from "../../adapters/modbus/profile/profile-files.ts";
import type { ResourceKind } from "../../src/model/resource.ts";
import { ModbusDevice } from "../support/modbus-device.ts";
import { profileBench } from "../support/profile-bench.ts";
import { waitFor } from "../support/wait-for.ts";

const never = new AbortController().signal;
const open: AsyncDisposable[] = [];
afterEach(async () => {
  for (const each of open.splice(0).reverse()) await each[Symbol.asyncDispose]();
});

/** Function code, first register, registers: what must be on the wire. */
type Wire = readonly [fc: number, address: number, ...registers: number[]];

interface Story {
  readonly id: string;
  readonly kind: ResourceKind;
  readonly unit: number;
  readonly config?: Readonly<Record<string, unknown>>;
  /** The device as it stands before anybody writes. */
  readonly fill: (device: ModbusDevice) => void;
  readonly readings: Readonly<Partial<Record<"powerKW" | "socPercent" | "importKWh" | "voltageV", number>>>;
  readonly orders: readonly { readonly powerKW: number; readonly appliedKW: number; readonly wire: readonly Wire[] }[];
  /** What brings the device back, after the last order. */
  readonly release: readonly Wire[];
}

const WATTS = 0xffff;

/** 2^16 words of a signed 32-bit number, most significant first. */
const i32 = (value: number): [number, number] => [(value >>> 16) & WATTS, value & WATTS];
const f32 = (value: number): [number, number] => {
  const bytes = Buffer.alloc(4);
  bytes.writeFloatBE(value);
  return [bytes.readUInt16BE(0), bytes.readUInt16BE(2)];
};

const STORIES: readonly Story[] = [
  {
    id: "sma-sbs",
    kind: "battery",
    unit: 3,
    config: { ratingKW: 4.2 },
    fill: (device) => {
      device.put32("input", 30775, -1500).put32("holding", 30845, 63).put("holding", 30513, 0, 0, 0, 5000);
      for (let register = 40236; register <= 40802; register++) device.writeOnly.add(register);
    },
    readings: { powerKW: -1.5, socPercent: 63 },
    orders: [
      {
        powerKW: -2.5,
        appliedKW: -2.5,
        wire: [
          [16, 40236, ...i32(2289)],
          [16, 40793, ...i32(2500)],
          [16, 40795, ...i32(2500)],
          [16, 40797, ...i32(0)],
          [16, 40799, ...i32(0)],
          [16, 40801, ...i32(0)],
        ],
      },
      {
        powerKW: 9,
        appliedKW: 4.2,
        wire: [
          [16, 40236, ...i32(2290)],
          [16, 40793, ...i32(0)],
          [16, 40795, ...i32(0)],
          [16, 40797, ...i32(4200)],
          [16, 40799, ...i32(4200)],
          [16, 40801, ...i32(0)],
        ],
      },
    ],
    release: [
      [16, 40236, ...i32(2424)],
      [16, 40793, ...i32(0)],
      [16, 40795, ...i32(4200)],
      [16, 40797, ...i32(0)],
      [16, 40799, ...i32(4200)],
      [16, 40801, ...i32(0)],
    ],
  },
  {
    id: "victron-gx",
    kind: "battery",
    unit: 100,
    config: { ratingKW: 10 },
    fill: (device) => {
      // 0.3 + 0.2 - 1.5 kW from the grid: 1 kW goes out.
      device.put("input", 820, 300, 200, -1500).put("input", 842, -700, 55).put("holding", 2716, 0, 0);
    },
    readings: { powerKW: 1, socPercent: 55 },
    orders: [
      { powerKW: 3, appliedKW: 3, wire: [[16, 2716, ...i32(-3000)]] },
      { powerKW: -40, appliedKW: -10, wire: [[16, 2716, ...i32(10000)]] },
    ],
    release: [[16, 2716, 0, 0]],
  },
  {
    id: "growatt-vpp",
    kind: "battery",
    unit: 1,
    fill: (device) => {
      for (let register = 31200; register < 31220; register++) device.put("input", register, 0);
      // Charges with 1.2 kW; it may take 5 and give 5 kW.
      device.put32("input", 31200, 12_000).put32("input", 31210, 50_000).put32("input", 31212, 50_000);
      device.put("input", 31217, 41).put("holding", 30100, 0).put("holding", 30407, 0, 0, 0);
    },
    readings: { powerKW: -1.2, socPercent: 41 },
    orders: [
      {
        powerKW: 2.53,
        appliedKW: 2.5,
        wire: [
          [6, 30100, 1],
          [6, 30408, 3],
          [6, 30409, 65536 - 50],
          [6, 30407, 1],
        ],
      },
      {
        // The authority is there already and is not written again.
        powerKW: -1,
        appliedKW: -1,
        wire: [
          [6, 30408, 3],
          [6, 30409, 20],
          [6, 30407, 1],
        ],
      },
    ],
    release: [
      [6, 30407, 0],
      [6, 30409, 0],
      [6, 30408, 0],
      [6, 30100, 0],
    ],
  },
  {
    id: "solax-hybrid",
    kind: "battery",
    unit: 1,
    config: { ratingKW: 8 },
    fill: (device) => {
      device.put("input", 0x16, 400).put("input", 0x1c, 80);
      for (let register = 0x7c; register <= 0x82; register++) device.writeOnly.add(register);
    },
    readings: { powerKW: -0.4, socPercent: 80 },
    orders: [
      { powerKW: -2, appliedKW: -2, wire: [[16, 0x7c, 1, 1, 2000, 0, 0, 0, 60]] },
      { powerKW: 2, appliedKW: 2, wire: [[16, 0x7c, 1, 1, 0xf830, 0xffff, 0, 0, 60]] },
    ],
    release: [[16, 0x7c, 0, 1, 0, 0, 0, 0, 0]],
  },
  {
    id: "sungrow-hybrid",
    kind: "battery",
    unit: 1,
    config: { ratingKW: 6 },
    fill: (device) => {
      for (let register = 13000; register < 13030; register++) device.put("input", register, 0);
      device.put("input", 13000, 2).put("input", 13021, 900, 505).put("holding", 13049, 0, 0xcc, 0);
    },
    readings: { powerKW: -0.9, socPercent: 50.5 },
    orders: [
      {
        powerKW: -2,
        appliedKW: -2,
        wire: [
          [6, 13051, 2000],
          [6, 13050, 0xaa],
          [6, 13049, 2],
        ],
      },
      {
        powerKW: 0,
        appliedKW: 0,
        wire: [
          [6, 13051, 0],
          [6, 13050, 0xcc],
          [6, 13049, 2],
        ],
      },
    ],
    release: [
      [6, 13049, 0],
      [6, 13050, 0xcc],
      [6, 13051, 0],
    ],
  },
  {
    id: "solaredge-storedge",
    kind: "battery",
    unit: 1,
    config: { ratingKW: 5 },
    fill: (device) => {
      const words = (value: number) => f32(value).reverse();
      device.put("holding", 0xe174, ...words(-1200)).put("holding", 0xe184, ...words(77));
      device.put("holding", 0xe004, 1).put("holding", 0xe00a, 7).put("holding", 0xe00b, 0, 0, 7);
      device.put("holding", 0xe00e, ...words(5000), ...words(5000));
    },
    readings: { powerKW: 1.2, socPercent: 77 },
    orders: [
      {
        powerKW: -3,
        appliedKW: -3,
        wire: [
          [6, 0xe004, 4],
          [16, 0xe00b, 120, 0],
          [16, 0xe00e, ...f32(3000).reverse()],
          [16, 0xe010, 0, 0],
          [6, 0xe00d, 3],
        ],
      },
    ],
    release: [
      [6, 0xe00d, 7],
      [16, 0xe010, ...f32(5000).reverse()],
      [16, 0xe00e, ...f32(5000).reverse()],
      [16, 0xe00b, 0, 0],
      [6, 0xe004, 1],
    ],
  },
  {
    id: "keba-p30",
    kind: "charger",
    unit: 255,
    config: { maxA: 32 },
    fill: (device) => {
      device.maxRead = 2;
      for (const [register, value] of [
        [1000, 3],
        [1004, 7],
        [1008, 10_000],
        [1010, 10_000],
        [1012, 10_000],
        [1014, 1234],
        [1016, 306_201],
        [1018, 50_334_720],
        [1020, 6_900_000],
        [1036, 123_450],
        [1040, 230],
        [1602, 0],
      ] as const)
        device.put32("holding", register, value);
      for (const register of [5004, 5014, 5018]) device.writeOnly.add(register);
    },
    readings: { powerKW: -6.9, importKWh: 12.345, voltageV: 230 },
    orders: [
      {
        // 7.4 kW over 3 x 230 V are 10.7246 A.
        powerKW: -7.4,
        appliedKW: -7.39956,
        wire: [
          [6, 5018, 60],
          [6, 5004, 10_724],
          [6, 5014, 1],
        ],
      },
      {
        powerKW: -2,
        appliedKW: 0,
        wire: [
          [6, 5018, 60],
          [6, 5014, 0],
        ],
      },
    ],
    release: [
      [6, 5018, 0],
      [6, 5004, 32_000],
      [6, 5014, 1],
    ],
  },
  {
    id: "abb-terra-ac",
    kind: "charger",
    unit: 1,
    config: { phases: 1 },
    fill: (device) => {
      for (let register = 0x4004; register < 0x4020; register++) device.put("holding", register, 0);
      device.put32("holding", 0x4004, 0x01_08_15_00).put32("holding", 0x4006, 32_000).put32("holding", 0x400c, 0x0400);
      device.put32("holding", 0x400e, 16_000).put32("holding", 0x4016, 2400).put32("holding", 0x401c, 3600);
      for (const register of [0x4100, 0x4101]) device.writeOnly.add(register);
      device.onWrite = ({ address, values: [high = 0, low = 0] }) => {
        if (address === 0x4100) device.put("holding", 0x400e, high, low);
        return true;
      };
    },
    readings: { powerKW: -3.6, voltageV: 240 },
    orders: [
      { powerKW: -2.4, appliedKW: -2.4, wire: [[16, 0x4100, 0, 10_000]] },
      { powerKW: -1, appliedKW: 0, wire: [[16, 0x4100, 0, 0]] },
    ],
    release: [[16, 0x4100, 0, 16_000]],
  },
  {
    id: "alfen-eve",
    kind: "charger",
    unit: 1,
    config: { maxA: 25 },
    fill: (device) => {
      for (const register of [306, 308, 310]) device.putFloat("holding", register, 230);
      for (const register of [320, 322, 324]) device.putFloat("holding", register, 6);
      // 98765.4 Wh as a double.
      const energy = Buffer.alloc(8);
      energy.writeDoubleBE(98_765.4);
      device.putFloat("holding", 344, 4140);
      device.put("holding", 374, ...[0, 2, 4, 6].map((at) => energy.readUInt16BE(at)));
      device.put("holding", 1201, 0x4332, 0, 0, 0, 0).putFloat("holding", 1206, 6).put32("holding", 1208, 55);
      device.putFloat("holding", 1210, 16).putFloat("holding", 1212, 8).put("holding", 1214, 1, 3);
    },
    readings: { powerKW: -4.14, importKWh: 98.7654, voltageV: 230 },
    orders: [{ powerKW: -8.28, appliedKW: -8.28, wire: [[16, 1210, ...f32(12)]] }],
    release: [[16, 1210, ...f32(16)]],
  },
  {
    id: "heidelberg-ec",
    kind: "charger",
    unit: 1,
    fill: (device) => {
      device.put("input", 5, 7, 100, 100, 100, 412, 231, 229, 230).put("input", 14, 6900).put32("input", 17, 45_600);
      device.put("holding", 257, 15_000).put("holding", 261, 160, 0);
    },
    readings: { powerKW: -6.9, importKWh: 45.6, voltageV: 230 },
    orders: [
      // 6 kW over 3 x 231 V are 8.658 A: tenths of amps, and not one more.
      { powerKW: -6, appliedKW: -5.9598, wire: [[16, 261, 86]] },
      { powerKW: -1, appliedKW: 0, wire: [[16, 261, 0]] },
    ],
    release: [[16, 261, 160]],
  },
  {
    id: "phoenix-charx",
    kind: "charger",
    unit: 1,
    config: { connector: 2, maxA: 20 },
    fill: (device) => {
      for (let register = 100; register < 115; register++) device.put("holding", register, 0x4141);
      device.put("holding", 114, 2);
      for (let register = 2232; register < 2302; register++) device.put("holding", register, 0);
      for (const at of [2232, 2234, 2236]) device.put32("holding", at, 230_000);
      device.put32("holding", 2244, 4_140_000).put("holding", 2250, 0, 0, 0, 7000).put("holding", 2264, 65535);
      device.put("holding", 2299, 0x4300, 1, 16);
    },
    readings: { powerKW: -4.14, importKWh: 7, voltageV: 230 },
    orders: [
      {
        powerKW: -8,
        appliedKW: -7.59,
        wire: [
          [16, 2301, 11],
          [16, 2300, 1],
        ],
      },
      { powerKW: 0, appliedKW: 0, wire: [[16, 2300, 0]] },
    ],
    release: [
      [16, 2301, 16],
      [16, 2300, 1],
    ],
  },
];

describe.each(STORIES)("profile $id", (story) => {
  test("reads the device, writes what a power means, and gives it back", async () => {
    const device = new ModbusDevice(story.unit);
    story.fill(device);
    const bench = await profileBench(device, story.kind, { profile: story.id, ...story.config });
    open.push(device, bench);
    const { adapter } = bench;
    await adapter.start(never);
    expect(device.writes).toEqual([]);
    await waitFor("a reading", () => bench.readings("powerKW").length > 0);
    for (const [key, value] of Object.entries(story.readings)) {
      expect(bench.readings(key as "powerKW").at(-1), key).toBeCloseTo(value, 6);
    }
    for (const { powerKW, appliedKW, wire } of story.orders) {
      const before = device.writes.length;
      const acceptance = await adapter.apply(bench.target(powerKW), never);
      expect(acceptance.appliedKW).toBeCloseTo(appliedKW, 4);
      expect(wireOf(device, before)).toEqual(wire);
    }
    const before = device.writes.length;
    await adapter.release(never);
    expect(wireOf(device, before)).toEqual(story.release);
  });

  test("writes nothing to a device that is another one", async () => {
    const device = new ModbusDevice(story.unit);
    for (let register = 0; register < 0x10000; register++) device.put("holding", register, 0xffff);
    for (let register = 0; register < 0x10000; register++) device.put("input", register, 0xffff);
    const bench = await profileBench(device, story.kind, { profile: story.id, ...story.config });
    open.push(device, bench);
    await expect(bench.adapter.start(never)).rejects.toThrow(/is no .+nothing was written/);
    await expect(bench.adapter.apply(bench.target(-3), never)).rejects.toThrow("not started yet");
    expect(device.writes).toEqual([]);
  });
});

test("every profile that comes with setpointd has its story here, or no control of its own", () => {
  const told = STORIES.map(({ id }) => id);
  const measuredOnly = ["eastron-sdm630"];
  const bySunSpec = ["sunspec-inverter", "sunspec-storage", "sunspec-meter"];
  expect([...told, ...measuredOnly, ...bySunSpec].sort()).toEqual([...profileIds()]);
  expect(profileIds().length).toBeGreaterThanOrEqual(14);
});

test("profile eastron-sdm630 reads a meter, and import is consumption", async () => {
  const device = new ModbusDevice(1);
  for (let register = 0; register < 0x60; register++) device.put("input", register, 0);
  device.putFloat("input", 0x00, 231).putFloat("input", 0x02, 229).putFloat("input", 0x04, 230);
  device.putFloat("input", 0x34, 2500).putFloat("input", 0x46, 50).putFloat("input", 0x48, 1234.5);
  const bench = await profileBench(device, "load", { profile: "eastron-sdm630" });
  open.push(device, bench);
  expect(await bench.adapter.start(never)).toMatchObject({ failsafe: "none", identity: { vendor: "Eastron" } });
  await waitFor("a reading", () => bench.readings("powerKW").length > 1);
  expect(bench.readings("powerKW").at(-1)).toBe(-2.5);
  expect(bench.readings("importKWh").at(-1)).toBe(1234.5);
  expect(bench.readings("voltageV").at(-1)).toBe(230);
  await expect(bench.adapter.apply(bench.target(-1), never)).rejects.toThrow("only measured");
});

function wireOf(device: ModbusDevice, from: number): Wire[] {
  return device.writes.slice(from).map(({ fc, address, values }) => [fc, address, ...values]);
}
