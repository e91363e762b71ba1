import { systemClock } from "../clock.ts";
import { createLog } from "../log.ts";
import { printData, printJsonLine } from "./output.ts";
import type { SimulatorOptions } from "./parts.ts";
import type { AddCommand } from "./program.ts";
import { stopSignal } from "./stop-signal.ts";

/** `sim charger|inverter|battery|meter|modbus|der|utility|market`: each simulator alone, for other people's tests. */
export const addSimCommand: AddCommand = (program, parts, setExit) => {
  const sim = program.command("sim").description("run one simulator alone, until it is interrupted");
  for (const simulator of parts.simulators) {
    const command = sim
      .command(simulator.name)
      .description(simulator.summary)
      .option("--verbose", "log all that happens to stderr")
      .option("--json", "print where it listens, and what happens, as one JSON object a line")
      .addHelpText("after", `\n${simulator.help ?? `Example:\n  ${simulator.example}`}`);
    for (const { flags, description, defaultValue, required, repeatable } of simulator.options) {
      if (required) command.requiredOption(flags, description);
      else if (repeatable) command.option(flags, description, collect);
      else command.option(flags, description, defaultValue);
    }
    command.action(async (options: SimulatorOptions) => {
      const stop = stopSignal();
      const json = options["json"] === true;
      const code = await simulator.run(options, {
        clock: systemClock,
        log: createLog(options["verbose"] ? "debug" : "warn"),
        signal: stop,
        onListening: (where) => {
          if (json) printJsonLine({ schemaVersion: 1, simulator: simulator.name, listening: where });
          else printData(`${simulator.name} simulator: ${where}`);
        },
        onEvent: (event, line) => {
          if (json) printJsonLine({ schemaVersion: 1, time: new Date(systemClock.now()).toISOString(), ...event });
          else if (line !== undefined) printData(line);
        },
      });
      if (typeof code === "number") setExit(code);
    });
  }
};

function collect(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}
