import type { DeviceTestResult } from "../api/device-test.ts";
import { loadConfig } from "../config/load.ts";
import { askDaemon, socketOf } from "./daemon-client.ts";
import { deviceNamed, numberOf } from "./device-option.ts";
import { addRampCommand } from "./device-ramp.ts";
import { CliError, EXIT } from "./exit-code.ts";
import { paint, printData, printJson, wantsColour } from "./output.ts";
import type { AddCommand } from "./program.ts";

/** `device ramp NAME`, and `device test NAME`: link, meter and, if a power is given, one supervised command with its verdict. */
export const addDeviceCommand: AddCommand = (program, parts, setExit) => {
  const device = program.command("device").description("look after one device");
  device
    .command("test")
    .description("test a device through the running daemon: link, reading and, with --power, a command by the meter")
    .argument("<name>", "ERA or name of the device")
    .requiredOption("--config <file>", "config of the daemon")
    .option("--power <kW>", "order this power (consumption negative) and judge it by the meter; market setpoints wait")
    .option("--for <seconds>", "how long to hold it", "30")
    .option("--json", "print one JSON object")
    .addHelpText(
      "after",
      "\nExamples:\n  setpointd device test garage --config site.yaml\n  setpointd device test garage --config site.yaml --power -6 --for 40",
    )
    .action(async (name: string, options: { config: string; power?: string; for: string; json?: boolean }) => {
      const powerKW = options.power === undefined ? undefined : numberOf("--power", options.power);
      const holdS = numberOf("--for", options.for);
      if (holdS < 1 || holdS > 600) throw new CliError(EXIT.usage, "--for must be 1 to 600 seconds");
      const { config, folder } = loadConfig(options.config, parts.adapters);
      const known = deviceNamed(config, name);
      const result = await askDaemon<DeviceTestResult>(socketOf(config, folder), "POST", "/device-test", {
        body: { era: known.era, holdMs: holdS * 1000, ...(powerKW !== undefined && { powerKW }) },
        timeoutMs: holdS * 1000 + 40_000,
      });
      if (options.json) printJson(result);
      else {
        const colour = wantsColour();
        for (const step of result.steps) {
          const mark = paint(step.ok ? "ok" : "FAIL", step.ok ? "green" : "red", colour);
          printData(`${step.name.padEnd(9)} ${step.detail.padEnd(70)} ${mark}`);
        }
        printData(paint(result.passed ? "PASS" : "FAIL", result.passed ? "green" : "red", colour));
      }
      setExit(exitOf(result));
    });
  addRampCommand(device, parts, setExit);
};

function exitOf(result: DeviceTestResult): number {
  if (result.passed) return EXIT.ok;
  const failed = result.steps.find((step) => !step.ok)?.name;
  if (failed === "link" || failed === "read") return EXIT.deviceUnreachable;
  // Not even sent: the device has no such direction.
  if (result.verdict === undefined && failed === "command" && result.steps.at(-1)?.name === "command")
    return EXIT.usage;
  return result.verdict === "refused" ? EXIT.deviceRefused : EXIT.notEffective;
}
