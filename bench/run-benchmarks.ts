import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { type Benchmark, type Figure, Skipped } from "./figure.ts";
import { figuresAsJson, figuresAsTable } from "./report.ts";

export interface BenchOutput {
  /** Data: the table or the JSON, and nothing else. */
  readonly data: (text: string) => void;
  /** All that is said beside it. */
  readonly note: (text: string) => void;
}

const USAGE = `Usage: npm run bench -- [--json] [--only NAME] [--profile FOLDER]

  --json            print {"figures": [...]} and nothing else on stdout
  --only NAME       measure this figure alone
  --profile FOLDER  let the daemon write its CPU profile there (it is slower then)

A target that is missed is reported and is no error; the exit code is 1 only if a figure could not be measured.
Databases are made in a folder under TMPDIR, or /var/tmp: point it at the disk that is to be measured.
`;

/**
 * Runs benchmarks one after another and prints their figures.
 * @returns the exit code: 0 if all could be measured, 1 if not, 2 for wrong use
 */
export async function runBenchmarks(
  argv: readonly string[],
  benchmarks: readonly Benchmark[],
  parentFolder: string,
  output: BenchOutput,
): Promise<number> {
  const options = optionsFrom(argv);
  const names = benchmarks.flatMap((benchmark) => benchmark.figures);
  if (typeof options === "string") {
    output.note(`${options}\n\n${USAGE}`);
    return 2;
  }
  if (options.help) {
    output.data(USAGE);
    return 0;
  }
  const { only } = options;
  if (only !== undefined && !names.includes(only)) {
    output.note(`there is no figure "${only}"; there are ${names.join(", ")}\n`);
    return 2;
  }
  const isWanted = (name: string) => only === undefined || name === only;

  const figures: Figure[] = [];
  let failed = false;
  const folder = mkdtempSync(join(parentFolder, "setpointd-bench-"));
  const discard = () => rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  // Whoever breaks off a run leaves by `exit`, which passes by `finally`.
  process.once("exit", discard);
  try {
    for (const benchmark of benchmarks) {
      if (!benchmark.figures.some(isWanted)) continue;
      const label = benchmark.figures.join(", ");
      const own = join(folder, String(benchmarks.indexOf(benchmark)));
      mkdirSync(own);
      try {
        const measured = await benchmark.run({
          folder: own,
          progress: (text) => output.note(`${label}: ${text}\n`),
          ...(options.profile !== undefined && { profileFolder: resolve(options.profile) }),
        });
        figures.push(...measured.filter(({ name }) => isWanted(name)));
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        if (!(error instanceof Skipped)) failed = true;
        output.note(`${label}: ${error instanceof Skipped ? "skipped" : "could not be measured"}: ${reason}\n`);
      }
    }
  } finally {
    process.off("exit", discard);
    discard();
  }
  output.data(options.json ? figuresAsJson(figures) : figuresAsTable(figures));
  return failed ? 1 : 0;
}

interface Options {
  readonly json: boolean;
  readonly help: boolean;
  readonly only?: string;
  readonly profile?: string;
}

/** The options, or what is wrong with them. */
function optionsFrom(argv: readonly string[]): Options | string {
  try {
    const { values } = parseArgs({
      args: [...argv],
      options: {
        json: { type: "boolean", default: false },
        help: { type: "boolean", short: "h", default: false },
        only: { type: "string" },
        profile: { type: "string" },
      },
    });
    const { json, help, only, profile } = values;
    return { json, help, ...(only !== undefined && { only }), ...(profile !== undefined && { profile }) };
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
