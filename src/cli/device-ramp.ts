import type { Command } from "commander";
import type { DeviceRampResult } from "../api/device-test.ts";
import type { StatusReport } from "../api/status-report.ts";
import { repeatEvery, systemClock } from "../clock.ts";
import { loadConfig } from "../config/load.ts";
import { askDaemon, socketOf } from "./daemon-client.ts";
import { deviceNamed, numberOf } from "./device-option.ts";
import { CliError, EXIT } from "./exit-code.ts";
import { kWText, paint, printData, printJson, printNote, table, wantsColour } from "./output.ts";
import type { Parts } from "./parts.ts";
import { ProgressLine } from "./progress-line.ts";

const WATCH_MS = 1000;
/** Beside the levels themselves: the first reading, and giving the device back. */
const SPARE_MS = 60_000;

interface RampOptions {
  readonly config: string;
  readonly steps: string;
  readonly hold: string;
  readonly from?: string;
  readonly to?: string;
  readonly json?: boolean;
}

/** `device ramp NAME`: the device is led through its range, and the meter's answer to each level is shown. */
export function addRampCommand(device: Command, parts: Parts, setExit: (code: number) => void): void {
  device
    .command("ramp")
    .description("lead a device through its range, level by level, show what the meter does, and give it back")
    .argument("<name>", "ERA or name of the device")
    .requiredOption("--config <file>", "config of the daemon")
    .option("--steps <count>", "levels, 2 to 20", "5")
    .option("--hold <seconds>", "how long each level may take until the meter shows it", "30")
    .option("--from <kW>", "first level; default: the most that it generates, or does now if it can only be limited")
    .option("--to <kW>", "last level; default: the most that it consumes, likewise")
    .option("--json", "print one JSON object")
    .addHelpText(
      "after",
      "\nExamples:\n  setpointd device ramp roof --config site.yaml\n  setpointd device ramp battery --config site.yaml --from 3 --to -3 --steps 7",
    )
    .action(async (name: string, options: RampOptions) => {
      const steps = numberOf("--steps", options.steps);
      const holdS = numberOf("--hold", options.hold);
      if (!Number.isInteger(steps) || steps < 2 || steps > 20)
        throw new CliError(EXIT.usage, "--steps must be 2 to 20");
      if (holdS < 1 || holdS > 600) throw new CliError(EXIT.usage, "--hold must be 1 to 600 seconds");
      const { config, folder } = loadConfig(options.config, parts.adapters);
      const { era } = deviceNamed(config, name);
      const socket = socketOf(config, folder);
      const body = {
        era,
        steps,
        holdMs: holdS * 1000,
        ...(options.from !== undefined && { fromKW: numberOf("--from", options.from) }),
        ...(options.to !== undefined && { toKW: numberOf("--to", options.to) }),
      };
      const over = new AbortController();
      const watching = watch(socket, era, over.signal);
      let result: DeviceRampResult;
      try {
        const timeoutMs = steps * holdS * 1000 + SPARE_MS;
        result = await askDaemon<DeviceRampResult>(socket, "POST", "/device-ramp", { body, timeoutMs });
      } finally {
        over.abort();
        await watching;
      }
      if (options.json) printJson(result);
      else show(result);
      setExit(exitOf(result));
    });
}

/** What the device is told and does, on the terminal's last line. */
async function watch(socket: string, era: string, signal: AbortSignal): Promise<void> {
  const line = new ProgressLine();
  await repeatEvery(systemClock, WATCH_MS, signal, async () => {
    const status = await askDaemon<StatusReport>(socket, "GET", "/status").catch(() => undefined);
    const device = status?.devices.find((one) => one.era === era);
    if (device !== undefined && !signal.aborted) {
      line.show(`${era}: ordered ${kWText(device.orderedKW)}, measured ${kWText(device.measuredKW)}`);
    }
  });
  line.clear();
}

function show(result: DeviceRampResult): void {
  const colour = wantsColour();
  if (result.notBegun !== undefined) printNote(`nothing was ordered: ${result.notBegun}`);
  else {
    const rows = result.steps.map((step) => [
      { text: kWText(step.orderedKW), align: "right" as const },
      { text: kWText(step.appliedKW), align: "right" as const },
      { text: kWText(step.beforeKW), align: "right" as const },
      { text: kWText(step.afterKW), align: "right" as const },
      { text: `${(step.tookMs / 1000).toFixed(1)} s`, align: "right" as const },
      { text: step.verdict ?? "none", paint: step.verdict === "effective" ? ("green" as const) : ("red" as const) },
      { text: step.reason },
    ]);
    const heading = ["ORDERED", "APPLIED", "METER BEFORE", "METER AFTER", "TOOK", "VERDICT", "WHY"];
    printData(table(heading, rows, { colour, width: process.stdout.columns ?? 160 }));
    if (result.restore !== undefined) printData(`restore: ${result.restore.detail}`);
  }
  printData(paint(result.passed ? "PASS" : "FAIL", result.passed ? "green" : "red", colour));
}

function exitOf(result: DeviceRampResult): number {
  if (result.passed) return EXIT.ok;
  if (result.notBegun?.startsWith("the device is not reachable")) return EXIT.deviceUnreachable;
  if (result.notBegun !== undefined) return EXIT.usage;
  return result.steps.some(({ verdict }) => verdict === "refused") ? EXIT.deviceRefused : EXIT.notEffective;
}
