import type { AdapterCommand } from "../../kind.ts";
import { dumpCommand } from "./dump-command.ts";
import { readCommand } from "./read-command.ts";
import { scanCommand } from "./scan-command.ts";
import { writeCommand } from "./write-command.ts";

/** What a technician has on a Modbus bus. */
export const fieldCommands: readonly AdapterCommand[] = [scanCommand, readCommand, writeCommand, dumpCommand];
