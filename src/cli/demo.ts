import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { StatusReport } from "../api/status-report.ts";
import { systemClock } from "../clock.ts";
import { createLog } from "../log.ts";
import { VERDICTS } from "../model/verdict.ts";
import { DemoScreen } from "./demo-screen.ts";
import { CliError, EXIT } from "./exit-code.ts";
import { GatewayProcess } from "./gateway-process.ts";
import { printData, printJson, printNote } from "./output.ts";
import type { DemoWorld } from "./parts.ts";
import type { AddCommand } from "./program.ts";
import { stopSignal } from "./stop-signal.ts";

const REDRAW_MS = 500;

/** What `demo --json` prints, and nothing else. */
export interface DemoReport {
  readonly schemaVersion: 1;
  readonly seed: number;
  readonly ranForS: number;
  readonly devices: readonly {
    readonly era: string;
    readonly protocol: string;
    readonly setpoints: number;
    readonly verdicts: Readonly<Record<string, number>>;
    readonly readings: number;
    readonly bidCurves: number;
  }[];
  readonly market: {
    readonly onConfirm: number;
    readonly acked: number;
    readonly nacked: number;
    readonly cleared: readonly { readonly price: number; readonly quantityKW: number }[];
  };
}

interface DemoOptions {
  for?: string;
  seed: string;
  interval: string;
  json?: boolean;
  keep?: string;
}

/** `demo`: a market clears and simulated devices on three protocols follow it, with the proof. */
export const addDemoCommand: AddCommand = (program, parts) => {
  program
    .command("demo")
    .description("a market, the gateway and seven simulated devices on loopback; watch them follow")
    .option("--for <seconds>", "end after this time; default: until Ctrl-C")
    .option("--seed <number>", "repeat a run", "7")
    .option("--interval <seconds>", "length of a market interval", "10")
    .option("--json", "print one JSON object at the end, and nothing else")
    .option("--keep <folder>", "keep config, databases and log there")
    .addHelpText("after", "\nExamples:\n  setpointd demo\n  setpointd demo --for 60 --json")
    .action(async (options: DemoOptions) => {
      const seed = numberOption("--seed", options.seed, 0, 2 ** 32 - 1);
      const intervalMs = numberOption("--interval", options.interval, 4, 3600) * 1000;
      const forMs = options.for === undefined ? undefined : numberOption("--for", options.for, 1, 86_400) * 1000;
      const folder =
        options.keep === undefined ? mkdtempSync(join(tmpdir(), "setpointd-demo-")) : resolve(options.keep);
      mkdirSync(folder, { recursive: true });
      const stop = stopSignal();
      try {
        await using world = await parts.startDemoWorld({
          seed,
          intervalMs,
          folder,
          clock: systemClock,
          log: createLog("silent"),
        });
        await using gateway = new GatewayProcess({
          self: parts.self,
          configFile: world.configFile,
          socket: join(folder, "data", "setpointd.sock"),
          logFile: join(folder, "gateway.log"),
          clock: systemClock,
        });
        const startedMs = systemClock.elapsedMs();
        const first = await gateway.ready(stop);
        await world.connect(first.addresses);
        const screen = new DemoScreen(options.json ? undefined : process.stdout, first);
        let last = first;
        try {
          while (!stop.aborted && (forMs === undefined || systemClock.elapsedMs() - startedMs < forMs)) {
            await systemClock.sleep(REDRAW_MS, stop).catch(() => {});
            last = await gateway.status();
            screen.draw(last, world.currentPrice());
          }
        } finally {
          screen.close();
        }
        const report = reportOf(last, world, seed, (systemClock.elapsedMs() - startedMs) / 1000);
        if (options.json) printJson(report);
        else printData(summaryText(report, last));
        if (options.keep !== undefined) printNote(`config, databases and log are in ${folder}`);
      } finally {
        if (options.keep === undefined) rmSync(folder, { recursive: true, force: true });
      }
    });
};

function numberOption(flag: string, text: string, min: number, max: number): number {
  const value = Number(text);
  if (text.trim() === "" || !(value >= min && value <= max)) {
    throw new CliError(EXIT.usage, `${flag} must be a number from ${min} to ${max}, got "${text}"`);
  }
  return value;
}

function reportOf(status: StatusReport, world: DemoWorld, seed: number, ranForS: number): DemoReport {
  return {
    schemaVersion: 1,
    seed,
    ranForS: Math.round(ranForS * 10) / 10,
    devices: status.devices.map(({ era, protocol, setpoints, verdicts, readings, bidCurves }) => ({
      era,
      protocol,
      setpoints,
      verdicts,
      readings,
      bidCurves,
    })),
    market: world.market(),
  };
}

function summaryText(report: DemoReport, status: StatusReport): string {
  const { market } = report;
  const lines = [
    "",
    `${report.ranForS} s · ${market.cleared.length} clearings · ${market.onConfirm} on_confirm, ${market.acked} acked, ${market.nacked} nacked`,
  ];
  for (const [index, device] of report.devices.entries()) {
    const verdicts = VERDICTS.filter((verdict) => device.verdicts[verdict])
      .map((verdict) => `${device.verdicts[verdict]} ${verdict}`)
      .join(", ");
    const name = status.devices[index]?.name ?? device.era;
    lines.push(
      `  ${name.padEnd(26)} ${String(device.setpoints).padStart(3)} setpoints  ${verdicts || "no verdict yet"} · ${device.readings} readings · ${device.bidCurves} bid curves`,
    );
  }
  return lines.join("\n");
}
