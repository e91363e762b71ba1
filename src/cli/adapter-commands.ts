import type { Command } from "commander";
import type { AdapterCommand } from "../../adapters/kind.ts";
import { OperationError } from "../../adapters/kind.ts";
import { systemClock } from "../clock.ts";
import { loadConfig } from "../config/load.ts";
import { createLog } from "../log.ts";
import { askDaemon, socketOf } from "./daemon-client.ts";
import { CliError, EXIT } from "./exit-code.ts";
import { printData, printJson, table, wantsColour } from "./output.ts";
import type { AddCommand } from "./program.ts";
import { stopSignal } from "./stop-signal.ts";

type Options = Readonly<Record<string, string | boolean | undefined>>;

/** `ocpp stations` and their like: what each protocol brings to the command line, one group a protocol. */
export const addAdapterCommands: AddCommand = (program, parts, setExit) => {
  const groups = new Map<string, Command>();
  /** The group of one word, or of several below each other: `2030.5 pki`. The first to come names it. */
  const groupOf = (words: string, summary: string): Command => {
    const before = words.lastIndexOf(" ");
    const above = before === -1 ? program : groupOf(words.slice(0, before), summary);
    const group = groups.get(words) ?? above.command(words.slice(before + 1)).description(summary);
    groups.set(words, group);
    return group;
  };
  for (const kind of parts.adapters) {
    for (const spec of kind.commands ?? []) {
      const group = groupOf(spec.group?.name ?? kind.name, spec.group?.summary ?? kind.title);
      const command = group.command(spec.name).description(spec.summary);
      for (const argument of spec.arguments ?? []) command.argument(argument.name, argument.description);
      if (spec.needs === "daemon") command.requiredOption("--config <file>", "config of the daemon");
      for (const option of spec.options ?? []) command.option(option.flags, option.description, option.defaultValue);
      command.option("--json", "print one JSON object").addHelpText("after", examplesOf(spec));
      // Commander hands over the arguments one by one, then the options, then itself.
      command.action(async (...given: unknown[]) => {
        const options = given.at(-2) as Options;
        const args = given.slice(0, -2).flatMap((arg) => (Array.isArray(arg) ? arg : [arg])) as string[];
        const ask = (operation: string, input?: unknown) => {
          if (spec.needs !== "daemon")
            throw new Error(`${spec.name} asks the daemon and does not say that it needs it`);
          const { config, folder } = loadConfig(String(options["config"]), parts.adapters);
          return askDaemon<unknown>(socketOf(config, folder), "POST", `/adapters/${kind.name}/${operation}`, {
            body: input ?? {},
            ...(spec.waitMs !== undefined && { timeoutMs: spec.waitMs }),
          });
        };
        try {
          const context = { clock: systemClock, log: createLog("warn"), signal: stopSignal(), ask };
          const result = await spec.run({ args: args.filter((arg) => arg !== undefined), options }, context);
          if (options["json"]) printJson(result.json);
          else if (result.table !== undefined) printTable(result.table);
          if (!options["json"] && result.text !== undefined) printData(result.text);
          setExit(result.exitCode ?? EXIT.ok);
        } catch (error) {
          if (!(error instanceof OperationError)) throw error;
          throw new CliError(error.reason === "not-found" ? EXIT.notFound : EXIT.usage, error.message, {
            cause: error,
          });
        }
      });
    }
  }
};

function printTable({ heading, rows }: { heading: readonly string[]; rows: readonly (readonly string[])[] }): void {
  const cells = rows.map((row) => row.map((text) => ({ text })));
  printData(table(heading, cells, { colour: wantsColour(), width: process.stdout.columns ?? 160 }));
}

function examplesOf(spec: AdapterCommand): string {
  const title = spec.examples.length === 1 ? "Example" : "Examples";
  return `\n${title}:\n${spec.examples.map((example) => `  setpointd ${example}`).join("\n")}`;
}
