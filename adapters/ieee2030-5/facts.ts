import type { AdapterFacts } from "../kind.ts";
import { controlsCommand, pushedCommand } from "./commands/controls-command.ts";
import { defaultCommand } from "./commands/default-command.ts";
import { lfdiCommand } from "./commands/lfdi-command.ts";
import { cancelCommand, orderCommand } from "./commands/order-command.ts";
import { ratesCommand } from "./commands/rates-command.ts";
import {
  type Device,
  deviceSchema,
  type PushDevice,
  type PushShared,
  pushDeviceSchema,
  pushSharedSchema,
  type Shared,
  sharedSchema,
} from "./config.ts";
import { pkiCommands } from "./pki/pki-commands.ts";
import { walkCommand } from "./walk/walk-command.ts";

/** Inverters and batteries that poll this gateway as their 2030.5 server, over TLS with mutual certificates. */
export const polledFacts: AdapterFacts<Shared, Device> = {
  name: "ieee2030_5",
  title: "IEEE 2030.5 (CSIP) devices that poll this gateway as their server",
  sharedSchema,
  deviceSchema,
  commands: [
    controlsCommand,
    orderCommand,
    cancelCommand,
    defaultCommand,
    ratesCommand,
    lfdiCommand,
    walkCommand,
    ...pkiCommands,
  ],
};

/** Devices and head-ends that are told at an address of their own instead of polling. */
export const pushedFacts: AdapterFacts<PushShared, PushDevice> = {
  name: "ieee2030_5_push",
  title: "IEEE 2030.5 orders sent to a device's own address: PUT or POST of a DERControl, PUT of its default",
  sharedSchema: pushSharedSchema,
  deviceSchema: pushDeviceSchema,
  commands: [pushedCommand],
};
