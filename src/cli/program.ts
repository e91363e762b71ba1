import { Command, CommanderError } from "commander";
import { ConfigError } from "../config/load.ts";
import { addAdapterCommands } from "./adapter-commands.ts";
import { addClearCommand } from "./clear.ts";
import { addConfigCommand } from "./config.ts";
import { addDemoCommand } from "./demo.ts";
import { addDeviceCommand } from "./device-test.ts";
import { addDevicesCommand } from "./devices.ts";
import { CliError, EXIT, EXIT_CODES_HELP } from "./exit-code.ts";
import { addMarketCommand } from "./market-send.ts";
import { addMeterCommand } from "./meter.ts";
import { addOrderCommand } from "./order.ts";
import { printNote } from "./output.ts";
import type { Parts } from "./parts.ts";
import { addProviderCommand } from "./provider.ts";
import { addRelayCommand } from "./relay.ts";
import { addRunCommand } from "./run.ts";
import { addScenarioCommand } from "./scenario.ts";
import { addSettleCommand } from "./settle.ts";
import { addSimCommand } from "./sim.ts";
import { addStatusCommand } from "./status.ts";

/** Runs one command line; resolves with the exit code. Data goes to stdout, all else to stderr. */
export async function runCli(argv: readonly string[], parts: Parts): Promise<number> {
  let exitCode: number = EXIT.ok;
  const setExit = (code: number) => {
    exitCode = code;
  };
  const program = new Command("setpointd")
    .description(
      "Makes chargers, inverters and batteries follow an energy market's setpoints, and proves that they did",
    )
    .version(parts.version)
    .showSuggestionAfterError()
    .showHelpAfterError("(add --help for the options)")
    .exitOverride()
    .addHelpText(
      "after",
      `
Examples:
  setpointd demo                          watch a market clear and seven simulated devices follow
  setpointd config check site.yaml        find the faults of a config before it runs
  setpointd run --config site.yaml        run the daemon
  setpointd status --config site.yaml     look at the running daemon
  setpointd scenario vpp                  run a use case end to end, with its own checks
  setpointd clear request.json            clear bids without a market around them
${EXIT_CODES_HELP}`,
    );
  for (const add of [
    addRunCommand,
    addDemoCommand,
    addConfigCommand,
    addStatusCommand,
    addDevicesCommand,
    addDeviceCommand,
    addMarketCommand,
    addOrderCommand,
    addProviderCommand,
    addRelayCommand,
    addClearCommand,
    addMeterCommand,
    addSettleCommand,
    addScenarioCommand,
    addAdapterCommands,
    addSimCommand,
  ]) {
    add(program, parts, setExit);
  }
  try {
    await program.parseAsync([...argv], { from: "user" });
    return exitCode;
  } catch (error) {
    return explain(error);
  }
}

/** Adds one command; `setExit` is for commands that ran and have a negative result. */
export type AddCommand = (program: Command, parts: Parts, setExit: (code: number) => void) => void;

function explain(error: unknown): number {
  if (error instanceof CommanderError) {
    // Help and version are no errors; commander has printed its text already.
    return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  }
  if (error instanceof ConfigError) {
    const count = error.faults.length;
    printNote(`${error.message}\n${count} ${count === 1 ? "error" : "errors"}`);
    return EXIT.usage;
  }
  if (error instanceof CliError) {
    printNote(`setpointd: ${error.message}`);
    return error.exitCode;
  }
  printNote(`setpointd: ${error instanceof Error ? error.message : String(error)}`);
  return EXIT.failed;
}
