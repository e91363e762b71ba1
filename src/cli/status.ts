import type { ObjectiveReport, StatusReport } from "../api/status-report.ts";
import { loadConfig } from "../config/load.ts";
import { askDaemon, socketOf } from "./daemon-client.ts";
import { deviceTable } from "./device-table.ts";
import { EXIT } from "./exit-code.ts";
import { ageText, paint, printData, printJson, wantsColour } from "./output.ts";
import type { AddCommand } from "./program.ts";

/** `status`: one screen of the running daemon. */
export const addStatusCommand: AddCommand = (program, parts, setExit) => {
  program
    .command("status")
    .description("show the running daemon: market, devices, verdicts, strangers")
    .requiredOption("--config <file>", "config of the daemon")
    .option("--json", "print one JSON object")
    .addHelpText("after", "\nExample:\n  setpointd status --config site.yaml --json")
    .action(async (options: { config: string; json?: boolean }) => {
      const { config, folder } = loadConfig(options.config, parts.adapters);
      const report = await askDaemon<StatusReport>(socketOf(config, folder), "GET", "/status");
      if (options.json) printJson(report);
      else printData(statusText(report, { colour: wantsColour(), width: process.stdout.columns ?? 160 }));
      if (!report.ready) setExit(EXIT.failed);
    });
};

function objectiveLine(name: string, objective: ObjectiveReport): string {
  const { targetChargeKWh, deliveredKWh, deadlineMs, status } = objective;
  const by = `${new Date(deadlineMs).toISOString().slice(0, 16).replace("T", " ")} UTC`;
  const how = status === undefined ? "" : ` · ${status.toLowerCase().replaceAll("_", " ")}`;
  return `  ${name}: ${deliveredKWh.toFixed(2)} of ${targetChargeKWh.toFixed(2)} kWh by ${by}${how}`;
}

function utilityLines(utility: NonNullable<StatusReport["utility"]>, colour: boolean): readonly string[] {
  const { server, linkUp, linkDetail, demands } = utility;
  const head = `UTILITY ${server} · ${linkDetail}`;
  return [
    linkUp ? head : paint(head, "red", colour),
    ...demands.map(({ era, detail }) => `        ${era ?? "site"}: ${detail}`),
  ];
}

/** The screen as text. */
export function statusText(report: StatusReport, options: { colour: boolean; width: number }): string {
  const up = ageText(report.nowMs - report.startedAtMs);
  const lines = [
    `${paint(`setpointd ${report.version}`, "bold", options.colour)} · ${report.site} · up ${up} · ${report.ready ? "ready" : "starting"}`,
  ];
  const { market } = report;
  if (market) {
    const last =
      market.lastMessageMs === undefined ? "none yet" : `${ageText(report.nowMs - market.lastMessageMs)} ago`;
    const mqtt = market.mqtt === undefined ? "" : ` · mqtt ${market.mqtt}`;
    lines.push(
      `MARKET  last message ${last} · ${market.onConfirm} on_confirm · ${market.acked} acked · ${market.nacked} nacked · ${market.outbox} queued out${mqtt}`,
    );
  }
  if (report.utility !== undefined) lines.push(...utilityLines(report.utility, options.colour));
  for (const [name, address] of Object.entries(report.addresses))
    lines.push(`${name.toUpperCase().padEnd(7)} ${address}`);
  if (report.meterFault !== undefined) {
    lines.push(paint(`METER   no intervals are recorded: ${report.meterFault}`, "red", options.colour));
  }
  lines.push("", deviceTable(report.devices, options));
  const goals = report.devices.flatMap(({ name, objective }) => (objective ? [objectiveLine(name, objective)] : []));
  if (goals.length > 0) lines.push("", ...goals);
  const troubles = report.devices.flatMap((device) => {
    const trouble =
      device.lastError ?? (device.verdict && device.verdict !== "effective" ? device.verdictReason : undefined);
    return [...(trouble === undefined ? [] : [trouble]), ...(device.notices ?? [])].map(
      (text) => `  ${device.name}: ${text}`,
    );
  });
  if (troubles.length > 0) lines.push("", ...troubles);
  for (const stranger of report.strangers) {
    const when = ageText(report.nowMs - stranger.lastSeenMs);
    lines.push(
      paint(
        `  refused: ${stranger.identity} from ${stranger.address}, ${stranger.attempts}x, ${when} ago: ${stranger.reason}`,
        "yellow",
        options.colour,
      ),
    );
  }
  return lines.join("\n");
}
