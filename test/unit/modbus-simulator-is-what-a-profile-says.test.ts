import { existsSync, readdirSync } from "node:fs";
import { resolve } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { GOOD_MODBUS_BEHAVIOUR, type ModbusBehaviour } from "../../simulators/modbus/behaviour.ts";
import { loadProfile } from "../../simulators/modbus/profile/profile-file.ts";
import { hardwareFor } from "../../simulators/modbus/profile/profile-hardware.ts";
import { type ProfileShape, profileShape } from "../../simulators/modbus/profile/profile-shape.ts";
import { ProfileSimulator } from "../../simulators/modbus/profile/profile-simulator.ts";
import { createRng } from "../../simulators/world/rng.ts";
import type { Sun } from "../../simulators/world/sun.ts";
import { silentLog } from "../../src/log.ts";
import { exceptionOf, HandClock } from "./inverter-simulator-bench.ts";
import { type Client, connectTo } from "./modbus-simulator-client.ts";

const BATTERY = `
id: test-battery
kind: battery
vendor: Cells Ltd
models: [Block 5]
addressBase: 1
transport: { unit: 100 }
limits: { maxRead: 20, maxGap: 4 }
identity: { model: { point: model } }
points:
  model: { register: 11, type: str, length: 8 }
  power: { register: 31, type: i32, order: CDAB, unit: W, sign: consumption, poll: fast }
  soc: { register: 34, scale: 0.1, unit: "%" }
  imported: { register: 1, space: input, type: u64, unit: Wh }
  mode: { register: 101, access: readWrite }
  setpoint: { register: 102, type: i32, unit: W, sign: consumption, access: readWrite }
  leaseS: { register: 104, unit: s, access: readWrite }
  leaseLeft: { register: 105, unit: s }
  remote: { register: 7, space: coil, type: bit, access: readWrite }
readings: { powerKW: power, socPercent: soc, importKWh: imported }
controls:
  setpoint:
    kind: setpoint
    failsafe: device
    convert: { to: watts }
    limits: { generation: 5000, consumption: 5000 }
    sequence:
      - { point: leaseS, value: reversion }
      - { point: setpoint, value: power }
      - { point: mode, value: 3 }
    enable: { point: remote, value: 1 }
    release: baseline
    reversion: { seconds: 60, proof: { point: leaseLeft } }
    verify: { readback: true }
`;

const WALLBOX = `
id: test-wallbox
kind: charger
vendor: Box Ltd
points:
  status: { register: 1000, space: input, values: { 1: idle, 4: charging } }
  currents1: { register: 1008, space: input, type: u32, unit: mA }
  currents2: { register: 1010, space: input, type: u32, unit: mA }
  currents3: { register: 1012, space: input, type: u32, unit: mA }
  power: { register: 1014, space: input, type: f32, order: DCBA, unit: kW, sign: consumption }
  limit: { register: 0x4100, type: u32, unit: mA, access: write, readAs: limitNow, writeFunction: 16 }
  limitNow: { register: 0x400E, unit: A, scale: 0.1 }
  alive: { register: 0x4200, access: readWrite, writeFunction: 6 }
readings: { powerKW: power, currentA: [currents1, currents2, currents3] }
presence: { point: status, present: [charging] }
controls:
  limit:
    kind: limit
    failsafe: vendor
    convert: { to: amps, phases: 3, volts: 230, zero: "off" }
    limits: { consumption: 16, least: 6 }
    sequence: [{ point: limit, value: magnitude }]
    off: [{ point: limit, value: 0 }]
    release: { writes: [{ point: limit, value: 16000 }] }
    heartbeat: { everyS: 20, mode: increment, point: alive }
    verify: { readback: true }
`;

const SPLIT_BATTERY = `
id: test-split
kind: battery
points:
  power: { register: 0, type: u16, unit: W, direction: { point: state, generation: 2, consumption: 4 } }
  state: { register: 1 }
  command: { register: 10, access: readWrite }
  charge: { register: 11, scale: 10, unit: W, access: readWrite }
  discharge: { register: 12, scale: 10, unit: W, access: readWrite }
readings: { powerKW: power }
controls:
  setpoint:
    kind: setpoint
    failsafe: gateway-only
    convert: { to: watts }
    limits: { generation: 5000, consumption: 5000 }
    sequence:
      - atomic:
          - { point: command, value: { consumption: 1, generation: 2, zero: 3 } }
          - { point: charge, value: consumption }
          - { point: discharge, value: generation }
    release: baseline
`;

interface Stage extends AsyncDisposable {
  readonly simulator: ProfileSimulator;
  readonly client: Client;
  readonly clock: HandClock;
  /** Long enough for the hardware to follow. */
  settle(): void;
}

async function stage(yaml: string, behaviour: Partial<ModbusBehaviour> = {}, share = 0.8): Promise<Stage> {
  return await staged(profileShape.parse(parse(yaml)), behaviour, share);
}

async function staged(profile: ProfileShape, behaviour: Partial<ModbusBehaviour>, share: number): Promise<Stage> {
  const clock = new HandClock();
  const ratings = {
    ratingKW: profile.kind === "charger" ? 11 : 5,
    phases: 3,
    volts: 230,
    capacityKWh: 10,
    serial: "S1",
  };
  const simulator = new ProfileSimulator({
    profile,
    ratings,
    clock,
    hardware: hardwareFor(profile.kind, {
      clock,
      ratings,
      rng: createRng(1),
      sun: { share: () => share } as Sun,
      socPercent: 50,
    }),
    log: silentLog,
    unit: profile.transport.unit ?? 1,
    otherUnit: "exception",
    behaviour: { ...GOOD_MODBUS_BEHAVIOUR, ...behaviour },
    random: () => 0,
  });
  const client = await connectTo(await simulator.listen(), { unit: profile.transport.unit ?? 1 });
  return {
    simulator,
    client,
    clock,
    settle: () => {
      simulator.powerKW();
      clock.advance(10_000);
      simulator.powerKW();
    },
    [Symbol.asyncDispose]: async () => {
      client.destroy(() => {});
      await simulator[Symbol.asyncDispose]();
    },
  };
}

const holding = async (client: Client, address: number, count: number) =>
  (await client.readHoldingRegisters(address, count)).data;
const input = async (client: Client, address: number, count: number) =>
  (await client.readInputRegisters(address, count)).buffer;

describe("a battery that a profile describes", () => {
  let device: Stage;

  beforeEach(async () => {
    device = await stage(BATTERY);
  });
  afterEach(() => device[Symbol.asyncDispose]());

  const order = async (watts: number, leaseS = 0) => {
    const { client } = device;
    await client.writeRegisters(103, [leaseS]);
    await client.writeRegisters(101, [(watts >> 16) & 0xffff, watts & 0xffff]);
    await client.writeRegister(100, 3);
    await client.writeCoil(6, true);
  };

  test("says who it is and what it measures, in its own addresses, orders, scales and signs", async () => {
    const { client } = device;
    device.settle();
    expect((await client.readHoldingRegisters(10, 8)).buffer.toString("latin1").replace(/\0+$/, "")).toBe("Block 5");
    // It gives 300 W by itself; consumption is positive here, and the low word comes first.
    expect(await holding(client, 30, 2)).toEqual([0x10000 - 300, 0xffff]);
    device.clock.advance(3_600_000);
    expect((await holding(client, 33, 1))[0]).toBe(468);
    expect((await input(client, 0, 4)).readBigUInt64BE()).toBeGreaterThan(2_000_000n);
  });

  test("does nothing of an order until the last of its sequence is written, then all of it", async () => {
    const { client, simulator } = device;
    await client.writeRegisters(101, [0, 2000]);
    await client.writeRegister(100, 3);
    expect(simulator.orders()).toEqual([]);
    await client.writeCoil(6, true);
    expect(simulator.orders()).toEqual([{ kind: "setpoint", powerKW: -2 }]);
    device.settle();
    expect(simulator.powerKW()).toBeCloseTo(-2, 2);
    await order(-1500);
    device.settle();
    expect(simulator.powerKW()).toBeCloseTo(1.5, 2);
    await order(0);
    device.settle();
    expect(simulator.powerKW()).toBeCloseTo(0, 2);
  });

  test("falls back when its own timer runs out, and shows how long that is", async () => {
    const { client, clock, simulator } = device;
    await order(2000, 60);
    clock.advance(40_000);
    expect(await holding(client, 104, 1)).toEqual([20]);
    expect(simulator.powerKW()).toBeCloseTo(-2, 2);
    clock.advance(21_000);
    device.settle();
    expect(simulator.powerKW()).toBeCloseTo(0.3, 2);
    expect(await holding(client, 100, 4)).toEqual([0, 0, 0, 0]);
  });

  test("refuses what such a device refuses", async () => {
    const { client } = device;
    const refused = async (call: Promise<unknown>) => exceptionOf(call);
    expect(await refused(client.writeRegister(30, 1))).toBe(2);
    expect(await refused(client.writeRegister(5000, 1))).toBe(2);
    expect(await refused(client.writeRegister(101, 1))).toBe(3);
    expect(await refused(client.readHoldingRegisters(10, 21))).toBe(3);
    expect(await refused(client.readHoldingRegisters(200, 1))).toBe(2);
    // A gap that the profile lets be read along is there, a greater one is not.
    expect(await holding(client, 32, 2)).toEqual([0, 500]);
    expect(await refused(client.readHoldingRegisters(18, 2))).toBe(2);
    expect(await refused(client.readDiscreteInputs(0, 1))).toBe(1);
    expect((await client.readCoils(6, 1)).data[0]).toBe(false);
  });

  test("ignoring writes reads back as if it obeyed; stale it measures nothing new; restarted it knows nothing", async () => {
    const { client, simulator } = device;
    simulator.behaviour.ignoresWrites = true;
    await order(2000);
    device.settle();
    expect(await holding(client, 101, 2)).toEqual([0, 2000]);
    expect(simulator.powerKW()).toBeCloseTo(0.3, 2);
    simulator.behaviour.ignoresWrites = false;
    await order(2000);
    simulator.behaviour.isStale = true;
    const before = await holding(client, 30, 2);
    device.settle();
    expect(await holding(client, 30, 2)).toEqual(before);
    simulator.behaviour.isStale = false;
    simulator.restart();
    expect(simulator.orders()).toEqual([]);
  });
});

describe("a wallbox that a profile describes", () => {
  test("charges what it may, pauses below its least current, and mirrors a limit that is only written", async () => {
    await using device = await stage(WALLBOX);
    const { client, simulator } = device;
    device.settle();
    expect(simulator.powerKW()).toBeCloseTo(-11, 1);
    expect((await input(client, 1014, 2)).reverse().readFloatBE()).toBeCloseTo(11, 1);
    expect((await input(client, 1008, 2)).readUInt32BE() / 1000).toBeCloseTo(16, 0);
    expect((await input(client, 1000, 1)).readUInt16BE()).toBe(4);
    await client.writeRegisters(0x4100, [0, 10_000]);
    device.settle();
    expect(simulator.powerKW()).toBeCloseTo(-6.9, 2);
    expect(await holding(client, 0x400e, 1)).toEqual([100]);
    await client.writeRegisters(0x4100, [0, 5000]);
    device.settle();
    expect(simulator.powerKW()).toBeCloseTo(0, 2);
    expect(await exceptionOf(client.readHoldingRegisters(0x4100, 2))).toBe(2);
    expect(await exceptionOf(client.writeRegister(0x4200, 1))).toBeUndefined();
    expect(await exceptionOf(client.writeRegisters(0x4200, [1]))).toBe(1);
  });

  test("goes back by itself when the heartbeat stops", async () => {
    await using device = await stage(WALLBOX);
    const { client, clock, simulator } = device;
    await client.writeRegisters(0x4100, [0, 0]);
    for (let beat = 1; beat <= 5; beat++) {
      clock.advance(20_000);
      await client.writeRegister(0x4200, beat);
    }
    device.settle();
    expect(simulator.powerKW()).toBeCloseTo(0, 2);
    clock.advance(61_000);
    device.settle();
    expect(simulator.powerKW()).toBeLessThan(-10);
  });
});

test("a battery with a register for each direction follows the one that its mode names", async () => {
  await using device = await stage(SPLIT_BATTERY);
  const { client, simulator } = device;
  await client.writeRegisters(10, [1, 200, 0]);
  device.settle();
  expect(simulator.powerKW()).toBeCloseTo(-2, 2);
  expect(await holding(client, 0, 2)).toEqual([2000, 4]);
  await client.writeRegisters(10, [2, 0, 120]);
  device.settle();
  expect(simulator.powerKW()).toBeCloseTo(1.2, 2);
  expect(await holding(client, 0, 2)).toEqual([1200, 2]);
  await client.writeRegisters(10, [3, 0, 0]);
  device.settle();
  expect(simulator.powerKW()).toBeCloseTo(0, 2);
  expect(simulator.writes.length).toBe(3);
});

test("at night the measured points hold the code that means no value", async () => {
  const yaml = `
id: test-roof
kind: inverter
points: { power: { register: 5, unit: W, sign: generation, notImplemented: [65535] }, energy: { register: 6, type: u32, unit: Wh } }
readings: { powerKW: power, exportKWh: energy }
`;
  await using day = await stage(yaml);
  day.settle();
  expect((await holding(day.client, 5, 1))[0]).toBe(4000);
  await using night = await stage(yaml, { sleepsAtNight: true }, 0);
  expect(await holding(night.client, 5, 1)).toEqual([65_535]);
  expect((await holding(night.client, 6, 2))[1]).toBeGreaterThan(0);
});

const FOLDER = resolve(import.meta.dirname, "../../config/profiles");
const profiles = existsSync(FOLDER) ? readdirSync(FOLDER).filter((file) => file.endsWith(".yaml")) : [];

describe.skipIf(profiles.length === 0)("the profiles that come along (skipped while there are none)", () => {
  test.each(profiles)("%s can be simulated, and every point of it can be read", async (file) => {
    const profile = loadProfile(resolve(FOLDER, file));
    await using device = await staged(profile, {}, 0.8);
    const unit = profile.transport.unit ?? 1;
    device.client.setID(unit);
    device.settle();
    for (const point of Object.values(profile.points)) {
      if (point.access === "write" || point.space !== "holding") continue;
      const address = point.register - profile.addressBase + (point.shared ? 0 : profile.connectorStep);
      expect(await exceptionOf(device.client.readHoldingRegisters(address, 1))).toBeUndefined();
    }
    expect(device.simulator.orders()).toEqual([]);
  });
});
