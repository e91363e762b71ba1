import type { AdapterKind } from "../kind.ts";
import { endpointFault, type ModbusDevice, type ModbusShared, modbusDevice, modbusShared } from "./config.ts";
import { ModbusHost } from "./modbus-host.ts";
import { fieldCommands } from "./tools/commands.ts";

export type { ModbusDevice, ModbusShared } from "./config.ts";

/** SunSpec inverters and batteries over Modbus, on the network or on a serial bus. */
export const modbus: AdapterKind<ModbusShared, ModbusDevice> = {
  name: "modbus",
  title: "SunSpec inverters and batteries over Modbus TCP and RTU",
  sharedSchema: modbusShared,
  deviceSchema: modbusDevice,
  deviceFault: (_shared, device, before) => endpointFault(device, before),
  commands: fieldCommands,
  createHost: (_shared, context) => new ModbusHost(context),
};
