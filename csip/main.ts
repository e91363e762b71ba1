import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { Command } from "commander";
import { adapters } from "../adapters/index.ts";
import { printData, printJson, printNote, table, wantsColour } from "../src/cli/output.ts";
import { stopSignal } from "../src/cli/stop-signal.ts";
import { createLog } from "../src/log.ts";
import type { Outcome } from "./outcome.ts";
import { readProcedures } from "./procedure-files.ts";
import { type Outcomes, runProcedures } from "./run-procedures.ts";

/** Where the published procedures lie beside a checkout. */
const PROCEDURES = "../shared/fixtures/ieee2030_5/cactus-test-definitions";

const WORDS = { passed: "passed", failed: "failed", notRun: "not run" } as const;
const PAINTS = { passed: "green", failed: "red", notRun: "dim" } as const;

interface Options {
  readonly procedures: string;
  readonly json?: boolean;
  readonly readme?: string;
  readonly verbose?: boolean;
  readonly speed: string;
  readonly parallel: string;
}

const program = new Command("csip")
  .description("play the published CSIP-AUS procedures against the client and the server of this gateway")
  .argument("[names...]", "only those whose name begins so, for example S-ALL-04 GEN")
  .option("--procedures <folder>", "with client/*.yaml and server/*.yaml", PROCEDURES)
  .option("--speed <factor>", "model time per real time; what fails is played again at a third of it", "20")
  .option("--parallel <count>", "procedures at the same time", "6")
  .option("--json", "print one JSON object at the end, and nothing else")
  .option("--readme <file>", "write the results into its table, between the marks of `csip`")
  .option("--verbose", "the programs' own warnings, on stderr")
  .action(async (only: string[], options: Options) => {
    const folder = resolve(options.procedures);
    if (!existsSync(folder)) {
      printNote(`the procedures are not there: ${folder}; name their folder with --procedures`);
      process.exitCode = 2;
      return;
    }
    const { version } = JSON.parse(readFileSync(resolve("package.json"), "utf8")) as { version: string };
    const outcomes = await runProcedures(readProcedures(folder), {
      adapters,
      version,
      ...(only.length > 0 && { only }),
      speed: Number(options.speed),
      parallel: Number(options.parallel),
      log: createLog(options.verbose ? "warn" : "silent"),
      signal: stopSignal(),
      onOutcome: (_side, { name, verdict, reason }) => {
        if (!options.json) printNote(`${name.padEnd(12)} ${verdict.padEnd(7)} ${reason}`);
      },
    });
    if (options.json) printJson({ client: counted(outcomes.client), server: counted(outcomes.server) });
    else if (options.readme !== undefined) writeReadme(options.readme, outcomes);
    else printData(text(outcomes));
    const hasFailed = [...outcomes.client, ...outcomes.server].some(({ verdict }) => verdict === "failed");
    if (hasFailed) process.exitCode = 1;
  });

await program.parseAsync();
// Workers of closed gateways may take their time; what had to be said is said.
process.exit();

function counted(outcomes: readonly Outcome[]) {
  const named = (verdict: Outcome["verdict"]) => outcomes.filter((one) => one.verdict === verdict);
  return {
    passed: named("passed").map(({ name }) => name),
    failed: named("failed").map(({ name, reason }) => ({ name, reason })),
    notRun: named("notRun").map(({ name, reason }) => ({ name, reason })),
  };
}

function text(outcomes: Outcomes): string {
  const colour = wantsColour();
  const rows = [...outcomes.client, ...outcomes.server].map(({ name, description, verdict, reason }) => [
    { text: name },
    { text: WORDS[verdict], paint: PAINTS[verdict] },
    { text: description },
    { text: reason },
  ]);
  const totals = (["client", "server"] as const).map((side) => {
    const { passed, failed, notRun } = counted(outcomes[side]);
    return `${side}: ${passed.length} passed, ${failed.length} failed, ${notRun.length} not run`;
  });
  const heading = ["PROCEDURE", "RESULT", "WHAT", "DETAIL"];
  const width = process.stdout.isTTY ? process.stdout.columns : 1000;
  return `${table(heading, rows, { colour, width })}\n\n${totals.join("\n")}`;
}

const MARKS = /(<!-- csip -->\n)[\s\S]*?(\n<!-- \/csip -->)/;

function writeReadme(file: string, outcomes: Outcomes): void {
  const before = readFileSync(file, "utf8");
  if (!MARKS.test(before)) throw new Error(`${file} has no marks for the table`);
  writeFileSync(
    file,
    before.replace(MARKS, (_whole, begin: string, end: string) => `${begin}\n${markdown(outcomes)}\n${end}`),
  );
}

function markdown(outcomes: Outcomes): string {
  const rows = [...outcomes.client, ...outcomes.server].map(
    ({ name, description, verdict, reason }) =>
      `| ${name} | ${description} | ${WORDS[verdict]}${verdict === "passed" ? "" : `: ${reason.replaceAll("|", "/")}`} |`,
  );
  const totals = (["client", "server"] as const).map((side) => {
    const { passed, failed, notRun } = counted(outcomes[side]);
    return `- ${side}: ${passed.length} passed, ${failed.length} failed, ${notRun.length} not run`;
  });
  const heading = ["| procedure | what it is about | result |", "| --- | --- | --- |"];
  return [...totals, "", ...heading, ...rows].join("\n");
}
