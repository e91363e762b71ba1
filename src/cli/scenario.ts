import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { systemClock } from "../clock.ts";
import { createLog } from "../log.ts";
import { CliError, EXIT } from "./exit-code.ts";
import { paint, printData, printJson, printNote, table, wantsColour } from "./output.ts";
import type { Parts } from "./parts.ts";
import type { AddCommand } from "./program.ts";
import type { ScenarioReport, ScenarioTable } from "./scenario-parts.ts";
import { stopSignal } from "./stop-signal.ts";

interface ScenarioOptions {
  seed: string;
  json?: boolean;
  keep?: string;
  verbose?: boolean;
}

/** `scenario`: one use case, end to end, with its own checks. */
export const addScenarioCommand: AddCommand = (program, parts, setExit) => {
  program
    .command("scenario")
    .description("run a use case end to end on loopback, and check that its numbers balance")
    .argument("[name]", "which one; without it they are listed")
    .option("--seed <number>", "repeat a run", "7")
    .option("--json", "print one JSON object at the end, and nothing else")
    .option("--verbose", "the programs' own warnings, on stderr")
    .option("--keep <folder>", "keep configs, databases and meter logs there")
    .addHelpText(
      "after",
      "\nExamples:\n  setpointd scenario\n  setpointd scenario vpp\n  setpointd scenario settlement --json",
    )
    .action(async (name: string | undefined, options: ScenarioOptions) => {
      const scenarios = await parts.scenarios();
      if (name === undefined) {
        printData(listText(scenarios));
        return;
      }
      const scenario = scenarios.find((one) => one.name === name);
      if (scenario === undefined) {
        throw new CliError(EXIT.notFound, `there is no scenario "${name}"; there are:\n${listText(scenarios)}`);
      }
      const seed = Number(options.seed);
      if (!Number.isSafeInteger(seed) || seed < 0) throw new CliError(EXIT.usage, "--seed must be a whole number");
      const folder =
        options.keep === undefined ? mkdtempSync(join(tmpdir(), "setpointd-scenario-")) : resolve(options.keep);
      mkdirSync(folder, { recursive: true });
      const colour = wantsColour();
      if (!options.json) printData(paint(scenario.title, "bold", colour));
      try {
        const report = await scenario.run({
          host: await parts.scenarioHost(),
          seed,
          folder,
          clock: systemClock,
          log: createLog(options.verbose ? "warn" : "silent"),
          signal: stopSignal(),
          onStory: (at, text) => {
            if (!options.json) printData(`${paint(at, "dim", colour)}  ${text}`);
          },
        });
        if (options.json) printJson(report);
        else printData(reportText(report, colour));
        if (!report.ok) setExit(EXIT.failed);
      } finally {
        if (options.keep === undefined) rmSync(folder, { recursive: true, force: true });
        else printNote(`configs, databases and meter logs are in ${folder}`);
      }
    });
};

function listText(scenarios: Awaited<ReturnType<Parts["scenarios"]>>): string {
  const width = Math.max(...scenarios.map(({ name }) => name.length));
  return scenarios.map(({ name, title }) => `  ${name.padEnd(width)}  ${title}`).join("\n");
}

function reportText(report: ScenarioReport, colour: boolean): string {
  const checks = report.checks.map(({ name, ok, detail }) => {
    const mark = ok ? paint("✓", "green", colour) : paint("✗", "red", colour);
    return `${mark} ${name}  ${paint(detail, "dim", colour)}`;
  });
  return ["", ...report.tables.map((one) => `${tableText(one, colour)}\n`), ...checks].join("\n");
}

/** Also one that was rounded to a text. */
function isNumber(value: string | number): boolean {
  return typeof value === "number" || /^-?\d+(\.\d+)?$/.test(value);
}

function tableText({ title, columns, rows }: ScenarioTable, colour: boolean): string {
  const cells = rows.map((row) =>
    row.map((value) => (isNumber(value) ? { text: String(value), align: "right" as const } : { text: String(value) })),
  );
  const width = process.stdout.isTTY ? process.stdout.columns : 160;
  return `${paint(title, "bold", colour)}\n${table(columns, cells, { colour, width })}`;
}
