import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { Command } from "commander";
import { adapters } from "../adapters/index.ts";
import { printData, printJson, printNote } from "../src/cli/output.ts";
import { stopSignal } from "../src/cli/stop-signal.ts";
import { createLog } from "../src/log.ts";
import { readProcedures } from "./procedure-files.ts";
import { counted, text, writeReadme } from "./report.ts";
import { runProcedures } from "./run-procedures.ts";

/** Where the published procedures lie beside a checkout. */
const PROCEDURES = "../shared/fixtures/ieee2030_5/cactus-test-definitions";

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
  .option("--parallel <count>", "procedures at the same time; they wait more than they compute", "12")
  .option("--json", "print one JSON object on stdout at the end, and nothing else there")
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
      onOutcome: ({ name, verdict, reason }, { played, of }) => {
        printNote(`${String(played).padStart(3)} of ${of}  ${name.padEnd(12)} ${verdict.padEnd(7)} ${reason}`);
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
