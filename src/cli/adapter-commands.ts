import type { Command } from "commander";
import type { AdapterCommand, CommandContext, ConfiguredDevice, OperationFault } from "../../adapters/kind.ts";
import { OperationError } from "../../adapters/kind.ts";
import { systemClock } from "../clock.ts";
import { loadConfig } from "../config/load.ts";
import type { DeviceConfig } from "../config/schema.ts";
import { createLog } from "../log.ts";
import { askDaemon, socketOf } from "./daemon-client.ts";
import { CliError, EXIT } from "./exit-code.ts";
import { printData, printJson, table, wantsColour } from "./output.ts";
import type { AddCommand } from "./program.ts";
import { ProgressLine } from "./progress-line.ts";
import { stopSignal } from "./stop-signal.ts";

const EXIT_OF: Readonly<Record<OperationFault, number>> = {
  invalid: EXIT.usage,
  "not-found": EXIT.notFound,
  unreachable: EXIT.deviceUnreachable,
  refused: EXIT.deviceRefused,
};

/** There is no daemon, or it has nothing to do with this protocol. */
const NOBODY_TO_ASK: ReadonlySet<number> = new Set([EXIT.daemonUnreachable, EXIT.notFound]);

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
      if (spec.needs === "either") command.option("--config <file>", "config of the daemon, which is asked if it runs");
      for (const option of spec.options ?? []) command.option(option.flags, option.description, option.defaultValue);
      command.option("--json", "print one JSON object").addHelpText("after", examplesOf(spec));
      // Commander hands over the arguments one by one, then the options, then itself.
      command.action(async (...given: unknown[]) => {
        const options = given.at(-2) as Options;
        const args = given.slice(0, -2).flatMap((arg) => (Array.isArray(arg) ? arg : [arg])) as string[];
        const progress = new ProgressLine();
        const config = options["config"];
        const loaded = once(() => (typeof config === "string" ? loadConfig(config, parts.adapters) : undefined));
        const ask = (operation: string, input?: unknown) => {
          const named = loaded();
          if (named === undefined) throw new Error(`${spec.name} asks the daemon and does not say that it needs it`);
          const socket = socketOf(named.config, named.folder);
          return askDaemon<unknown>(socket, "POST", `/adapters/${kind.name}/${operation}`, {
            body: input ?? {},
            ...(spec.waitMs !== undefined && { timeoutMs: spec.waitMs }),
          });
        };
        const context: CommandContext = {
          clock: systemClock,
          log: createLog("warn"),
          signal: stopSignal(),
          ask,
          askIfRunning: async (operation, input) => {
            if (loaded() === undefined) return undefined;
            try {
              return { answer: await ask(operation, input) };
            } catch (error) {
              if (error instanceof CliError && NOBODY_TO_ASK.has(error.exitCode)) return undefined;
              throw error;
            }
          },
          devices: () => devicesOf(loaded()?.config.devices ?? [], kind.name),
          progress: (text) => progress.show(text),
        };
        try {
          const result = await spec.run({ args: args.filter((arg) => arg !== undefined), options }, context);
          progress.clear();
          if (options["json"]) printJson(result.json);
          else if (result.table !== undefined) printTable(result.table);
          if (!options["json"] && result.text !== undefined) printData(result.text);
          setExit(result.exitCode ?? EXIT.ok);
        } catch (error) {
          if (!(error instanceof OperationError)) throw error;
          throw new CliError(EXIT_OF[error.reason], error.message, { cause: error });
        } finally {
          progress.clear();
        }
      });
    }
  }
};

function devicesOf(devices: readonly DeviceConfig[], kind: string): readonly ConfiguredDevice[] {
  return devices.flatMap(({ era, name, ...parts }) => {
    const part = (parts as Readonly<Record<string, unknown>>)[kind];
    return part === undefined ? [] : [{ era, ...(name !== undefined && { name }), part }];
  });
}

function once<T>(make: () => T): () => T {
  let made: { value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}

function printTable({ heading, rows }: { heading: readonly string[]; rows: readonly (readonly string[])[] }): void {
  const cells = rows.map((row) => row.map((text) => ({ text })));
  printData(table(heading, cells, { colour: wantsColour(), width: process.stdout.columns ?? 160 }));
}

function examplesOf(spec: AdapterCommand): string {
  const title = spec.examples.length === 1 ? "Example" : "Examples";
  return `\n${title}:\n${spec.examples.map((example) => `  setpointd ${example}`).join("\n")}`;
}
