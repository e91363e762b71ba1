import { systemClock } from "../clock.ts";
import { createLog } from "../log.ts";
import { printData, printJson } from "./output.ts";
import type { AddCommand } from "./program.ts";
import { stopSignal } from "./stop-signal.ts";

/** `sim charger|inverter|der|market`: each simulator alone, for other people's tests. */
export const addSimCommand: AddCommand = (program, parts) => {
  const sim = program.command("sim").description("run one simulator alone, until it is interrupted");
  for (const simulator of parts.simulators) {
    const command = sim
      .command(simulator.name)
      .description(simulator.summary)
      .option("--verbose", "log all that happens to stderr")
      .option("--json", "print where it listens as JSON")
      .addHelpText("after", `\nExample:\n  ${simulator.example}`);
    for (const option of simulator.options) {
      if (option.required) command.requiredOption(option.flags, option.description);
      else command.option(option.flags, option.description, option.defaultValue);
    }
    command.action(async (options: Record<string, string | boolean | undefined>) => {
      const stop = stopSignal();
      await simulator.run(options, {
        clock: systemClock,
        log: createLog(options["verbose"] ? "debug" : "warn"),
        signal: stop,
        onListening: (where) => {
          if (options["json"]) printJson({ schemaVersion: 1, simulator: simulator.name, listening: where });
          else printData(`${simulator.name} simulator: ${where}`);
        },
      });
    });
  }
};
