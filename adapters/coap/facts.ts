import type { AdapterFacts } from "../kind.ts";
import { discoverCommand } from "./commands/discover-command.ts";
import { dumpCommand } from "./commands/dump-command.ts";
import { profileCommands } from "./commands/profile-commands.ts";
import { type CoapDeviceConfig, type CoapShared, coapDevice, coapShared } from "./config.ts";

/** Constrained devices over CoAP that a profile describes. It is no IEEE 2030.5, which runs over HTTP alone. */
export const coapFacts: AdapterFacts<CoapShared, CoapDeviceConfig> = {
  name: "coap",
  title: "Meters and actuators over CoAP, by a device profile",
  sharedSchema: coapShared,
  deviceSchema: coapDevice,
  deviceFault: (_shared, { profile, profileFile }) =>
    (profile === undefined) === (profileFile === undefined) ? "needs either profile or profileFile" : undefined,
  commands: [discoverCommand, dumpCommand, ...profileCommands],
};
