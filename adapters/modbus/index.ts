import { ConfigError } from "../../src/config/load.ts";
import type { LoadedKind } from "../kind.ts";
import { endpointFault, type ModbusDevice, type ModbusShared, modbusDevice, modbusShared } from "./config.ts";
import { settingsOf } from "./device-settings.ts";
import { ModbusHost } from "./modbus-host.ts";
import { profileCommands } from "./profile/commands.ts";
import { profileFault, profileOf } from "./profile/profile-of-device.ts";
import { pointsCommand } from "./sunspec/points-command.ts";
import { fieldCommands } from "./tools/commands.ts";

export type { ModbusDevice, ModbusShared } from "./config.ts";

/** Modbus devices, on the network or on a serial bus: SunSpec inverters and batteries, and what a profile describes. */
export const modbus: LoadedKind<ModbusShared, ModbusDevice> = {
  name: "modbus",
  title: "Modbus: SunSpec inverters and batteries, and devices that a profile describes",
  sharedSchema: modbusShared,
  deviceSchema: modbusDevice,
  deviceFault: (_shared, device, before, { kind }) =>
    profileFault(device, kind) ?? endpointFault(settled(device), before.map(settled)),
  commands: [...profileCommands, ...fieldCommands, pointsCommand],
  createHost: (_shared, context) => new ModbusHost(context),
};

/** A device with what its profile says of the transport; one whose profile is broken is told so for itself. */
function settled(device: ModbusDevice): ModbusDevice {
  try {
    return settingsOf(device, profileOf(device));
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return device;
  }
}
