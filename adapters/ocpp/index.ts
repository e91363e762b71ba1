import type { LoadedKind } from "../kind.ts";
import { passwordCommand } from "./commands/password-command.ts";
import { stationCommands } from "./commands/station-commands.ts";
import { deviceSchema, type OcppDevice, type OcppShared, sharedSchema } from "./config.ts";
import { clearCommand, profilesCommand } from "./control/profile-operations.ts";
import { securityFault } from "./door/security-config.ts";
import { OcppHost } from "./host.ts";
import { sessionCommands } from "./sessions/session-commands.ts";

export type { OcppDevice, OcppShared } from "./config.ts";

/** Chargers over OCPP 1.6J, 2.0.1 and 2.1, which dial in to one port. */
export const ocpp: LoadedKind<OcppShared, OcppDevice> = {
  name: "ocpp",
  title: "EV chargers over OCPP 1.6J, 2.0.1 and 2.1",
  sharedSchema,
  deviceSchema,
  deviceFault: securityFault,
  takesStrangers: true,
  commands: [...stationCommands, passwordCommand, ...sessionCommands, profilesCommand, clearCommand],
  createHost: (shared, context) => new OcppHost(shared, context),
};
