import type { AdapterKind } from "../kind.ts";
import { endpointFault, type ModbusDevice, type ModbusShared, modbusDevice, modbusShared } from "./config.ts";
import { ModbusHost } from "./modbus-host.ts";
import { profileCommands } from "./profile/commands.ts";
import { profileFault } from "./profile/profile-of-device.ts";
import { pointsCommand } from "./sunspec/points-command.ts";
import { fieldCommands } from "./tools/commands.ts";

export type { ModbusDevice, ModbusShared } from "./config.ts";

/** Modbus devices, on the network or on a serial bus: SunSpec inverters and batteries, and what a profile describes. */
export const modbus: AdapterKind<ModbusShared, ModbusDevice> = {
  name: "modbus",
  title: "Modbus: SunSpec inverters and batteries, and devices that a profile describes",
  sharedSchema: modbusShared,
  deviceSchema: modbusDevice,
  deviceFault: (_shared, device, before, { kind }) => profileFault(device, kind) ?? endpointFault(device, before),
  commands: [...profileCommands, ...fieldCommands, pointsCommand],
  createHost: (_shared, context) => new ModbusHost(context),
};
