import { modbus } from "../../adapters/modbus/index.ts";
import { systemClock as clock } from "../../src/clock.ts";
import { silentLog as log } from "../../src/log.ts";
import type { ResourceKind } from "../../src/model/resource.ts";
import { ModbusDevice } from "../support/modbus-device.ts";
import { volatileMemory } from "../support/volatile-memory.ts";
import { type ContractFixture, describeAdapterContract } from "./adapter-contract.ts";

describeAdapterContract("profile of a battery: Growatt VPP", battery);
describeAdapterContract("profile of a charger: Alfen", charger);
describeAdapterContract("profile of a charger that can only be written: KEBA", writeOnlyCharger);

/** A battery of 10 kW that does what 30407 to 30409 say, and nothing by itself. */
async function battery(): Promise<ContractFixture> {
  const device = new ModbusDevice(1).put("holding", 30100, 0).put("holding", 30407, 0, 0, 0);
  for (let register = 31200; register < 31220; register++) device.put("input", register, 0);
  device.put32("input", 31210, 100_000).put32("input", 31212, 100_000).put("input", 31217, 50);
  const percent = () => (((device.holding(30409) ?? 0) << 16) >> 16) * -1;
  const underControl = () => device.holding(30407) === 1;
  const deviceKW = () => (underControl() ? percent() / 10 : 0);
  return fixture(device, "battery", { profile: "growatt-vpp" }, { orderKW: -3, otherOrderKW: 2 }, () => {
    device.put32("input", 31200, Math.round(deviceKW() * -10_000));
    return { deviceKW: deviceKW(), underControl: underControl() };
  });
}

/** A charger with a hungry car on three phases at 230 V. */
async function charger(): Promise<ContractFixture> {
  const device = new ModbusDevice(1);
  for (let register = 306; register < 380; register++) device.put("holding", register, 0);
  for (const register of [306, 308, 310]) device.putFloat("holding", register, 230);
  device.put("holding", 1201, 0x4332, 0, 0, 0, 0).putFloat("holding", 1206, 16).put32("holding", 1208, 60);
  device.putFloat("holding", 1210, 16).putFloat("holding", 1212, 8).put("holding", 1214, 1, 3);
  const amps = () => {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt16BE(device.holding(1210) ?? 0, 0);
    bytes.writeUInt16BE(device.holding(1211) ?? 0, 2);
    return bytes.readFloatBE();
  };
  const deviceKW = () => (amps() * 690) / -1000;
  return fixture(device, "charger", { profile: "alfen-eve", maxA: 16 }, { orderKW: -5, otherOrderKW: -7 }, () => {
    device.putFloat("holding", 344, deviceKW() * -1000);
    return { deviceKW: deviceKW(), underControl: amps() !== 16 };
  });
}

/** A charger whose commands can't be read back: only its meter tells. */
async function writeOnlyCharger(): Promise<ContractFixture> {
  const device = new ModbusDevice(255);
  device.maxRead = 2;
  for (const register of [1000, 1004, 1008, 1010, 1012, 1014, 1016, 1018, 1020, 1036, 1040, 1602]) {
    device.put32("holding", register, 0);
  }
  device.put32("holding", 1004, 7).put32("holding", 1016, 306_201).put32("holding", 1040, 230);
  for (const register of [5004, 5014, 5018]) device.writeOnly.add(register);
  const last = (register: number, before: number) => device.holding(register) ?? before;
  const deviceKW = () => (last(5014, 1) * last(5004, 16_000) * 0.69) / -1000;
  return fixture(device, "charger", { profile: "keba-p30", maxA: 16 }, { orderKW: -5, otherOrderKW: -7 }, () => {
    device.put32("holding", 1020, Math.round(deviceKW() * -1_000_000)).put32("holding", 1602, last(5018, 0));
    return { deviceKW: deviceKW(), underControl: last(5018, 0) !== 0 };
  });
}

async function fixture(
  device: ModbusDevice,
  kind: ResourceKind,
  config: Readonly<Record<string, unknown>>,
  orders: Pick<ContractFixture, "orderKW" | "otherOrderKW">,
  /** Lets the hardware do what its registers say. */
  live: () => { deviceKW: number; underControl: boolean },
): Promise<ContractFixture> {
  const { host, port } = await device.listen();
  live();
  const gateway = modbus.createHost({}, { clock, log, random: Math.random, memory: volatileMemory() });
  const settings = modbus.deviceSchema.parse({ host, port, pollMs: 100, timeoutMs: 1000, ...config });
  const adapter = gateway.adapter({ era: "IN*TEST*BOX*1", kind }, settings);
  return {
    adapter,
    ...orders,
    open: (signal) => gateway.start(signal),
    deviceKW: () => live().deviceKW,
    underControl: () => live().underControl,
    refuse: () => {
      device.onWrite = () => 3;
    },
    fallSilent: () => {
      device.silent = true;
    },
    talkNonsense: () => {
      device.talksNonsense = true;
    },
    breakLink: async () => device.dropConnections(),
    [Symbol.asyncDispose]: async () => {
      await gateway[Symbol.asyncDispose]();
      await device[Symbol.asyncDispose]();
    },
  };
}
