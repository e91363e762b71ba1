import type { StatusReport } from "../api/status-report.ts";
import { loadConfig } from "../config/load.ts";
import { askDaemon, socketOf } from "./daemon-client.ts";
import { type Cell, kWText, printData, printJson, table, wantsColour } from "./output.ts";
import type { AddCommand } from "./program.ts";

/** `devices`: what each device is and can do. */
export const addDevicesCommand: AddCommand = (program, parts) => {
  program
    .command("devices")
    .description("list the devices: what each can do, how it fails safe, what is counted")
    .requiredOption("--config <file>", "config of the daemon")
    .option("--json", "print one JSON object")
    .addHelpText("after", "\nExample:\n  setpointd devices --config site.yaml")
    .action(async (options: { config: string; json?: boolean }) => {
      const { config, folder } = loadConfig(options.config, parts.adapters);
      const report = await askDaemon<StatusReport>(socketOf(config, folder), "GET", "/status");
      if (options.json) {
        printJson({ schemaVersion: 1, devices: report.devices, strangers: report.strangers });
        return;
      }
      const rows = report.devices.map((device): Cell[] => [
        { text: device.era },
        { text: device.kind },
        { text: device.protocol },
        { text: device.linkUp ? "up" : "down", paint: device.linkUp ? "green" : "red" },
        { text: kWText(device.minPowerKW), align: "right" },
        { text: kWText(device.maxPowerKW), align: "right" },
        { text: device.failsafe ?? "–", paint: device.failsafe === "none" ? "red" : "plain" },
        { text: String(device.setpoints), align: "right" },
        { text: String(device.readings), align: "right" },
        { text: device.availability ?? device.linkDetail, paint: "dim" },
      ]);
      const heading = ["ERA", "KIND", "PROTOCOL", "LINK", "MIN", "MAX", "FAILSAFE", "SETPOINTS", "READINGS", "STATE"];
      const screen = { colour: wantsColour(), width: process.stdout.columns ?? 160 };
      const reasons = report.devices.flatMap(({ era, failsafe, failsafeReason }) =>
        failsafeReason === undefined ? [] : [`  ${era}: failsafe ${failsafe}: ${failsafeReason}`],
      );
      printData([table(heading, rows, screen), ...(reasons.length > 0 ? ["", ...reasons] : [])].join("\n"));
    });
};
