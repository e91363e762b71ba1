import type { AdapterKind } from "../kind.ts";
import { type ModbusDevice, type ModbusShared, modbusDevice, modbusShared } from "./config.ts";
import { ModbusHost } from "./modbus-host.ts";
import { pointsCommand } from "./sunspec/points-command.ts";

export type { ModbusDevice, ModbusShared } from "./config.ts";

/** SunSpec inverters and batteries over Modbus TCP. */
export const modbus: AdapterKind<ModbusShared, ModbusDevice> = {
  name: "modbus",
  title: "SunSpec inverters and batteries over Modbus TCP",
  sharedSchema: modbusShared,
  deviceSchema: modbusDevice,
  commands: [pointsCommand],
  createHost: (_shared, context) => new ModbusHost(context),
};
