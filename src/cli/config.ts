import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { AcceptedDevices } from "../config/accepted-devices.ts";
import { type FailsafeNote, failsafeNotes } from "../config/failsafe-notes.ts";
import { configJsonSchema } from "../config/json-schema.ts";
import { ConfigError, loadConfig } from "../config/load.ts";
import { EXIT } from "./exit-code.ts";
import { printData, printJson, printNote } from "./output.ts";
import type { AddCommand } from "./program.ts";

/** `config check` and `config schema`. */
export const addConfigCommand: AddCommand = (program, parts, setExit) => {
  const config = program.command("config").description("check a config, or print its schema");

  config
    .command("check")
    .description("find all faults of a config: file:line:column, key, what was expected")
    .argument("<file>", "YAML config")
    .option("--json", "print one JSON object")
    .addHelpText("after", "\nExample:\n  setpointd config check /etc/setpointd/site.yaml")
    .action((file: string, options: { json?: boolean }) => {
      try {
        const loaded = loadConfig(file, parts.adapters);
        const notes: readonly FailsafeNote[] = failsafeNotes(loaded.config);
        const accepted = new AcceptedDevices(resolve(loaded.folder, loaded.config.data), parts.adapters);
        const beside = accepted.beside(loaded.config);
        if (options.json) {
          const eras = beside.map((device) => device.era);
          printJson({ schemaVersion: 1, valid: true, faults: [], notes, accepted: eras });
        } else {
          const { devices, groups } = loaded.config;
          printData(`${file}: ok · ${devices.length} devices · ${groups.length} groups`);
          if (beside.length > 0) printData(`${accepted.file}: ok · ${beside.length} accepted devices`);
          for (const note of notes) printNote(`note  ${note.path}: ${note.note}`);
        }
      } catch (error) {
        if (!(error instanceof ConfigError) || !options.json) throw error;
        printJson({ schemaVersion: 1, valid: false, faults: error.faults });
        setExit(EXIT.usage);
      }
    });

  config
    .command("schema")
    .description("print the JSON Schema of the config, for editors")
    .option("--check <file>", "compare with a file and fail if it differs")
    .addHelpText("after", "\nExample:\n  setpointd config schema > setpointd.schema.json")
    .action((options: { check?: string }) => {
      const text = `${JSON.stringify(configJsonSchema(parts.adapters), null, 2)}\n`;
      if (options.check === undefined) {
        printData(text);
        return;
      }
      if (readFileSync(options.check, "utf8") === text) printNote(`${options.check}: up to date`);
      else {
        printNote(`${options.check}: differs from the program; write it again with: npm run schema`);
        setExit(EXIT.failed);
      }
    });
};
