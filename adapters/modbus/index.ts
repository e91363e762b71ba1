import type { AdapterKind } from "../kind.ts";
import { type ModbusDevice, type ModbusShared, modbusDevice, modbusShared } from "./config.ts";
import { ModbusHost } from "./modbus-host.ts";
import { profileCommands } from "./profile/commands.ts";
import { profileFault } from "./profile/profile-of-device.ts";

export type { ModbusDevice, ModbusShared } from "./config.ts";

/** Modbus devices: SunSpec inverters and batteries, and what a profile describes. */
export const modbus: AdapterKind<ModbusShared, ModbusDevice> = {
  name: "modbus",
  title: "Modbus: SunSpec inverters and batteries, and devices that a profile describes",
  sharedSchema: modbusShared,
  deviceSchema: modbusDevice,
  deviceFault: (_shared, device, _before, { kind }) => profileFault(device, kind),
  commands: profileCommands,
  createHost: (_shared, context) => new ModbusHost(context),
};
