import { parseArgs } from "node:util";
import type { FuzzReport, FuzzTarget } from "./fuzz-target.ts";

export interface FuzzOutput {
  /** Data: the summary or the JSON, and nothing else. */
  readonly data: (text: string) => void;
  /** All that is said beside it. */
  readonly note: (text: string) => void;
}

const COUNT = 100_000;

function usage(targets: readonly FuzzTarget[]): string {
  return `Usage: npm run fuzz -- TARGET [--count N] [--seed N] [--from N] [--no-time] [--json]

Targets:
${targets.map(({ name, title }) => `  ${name.padEnd(12)}${title}`).join("\n")}

  --count N    inputs to send (${COUNT})
  --seed N     the same seed sends the same inputs (1)
  --from N     number of the first input; with --count 1 one input is sent again (0)
  --no-time    measure how long answers take and do not judge it
  --json       print one JSON object and nothing else on stdout

The exit code is 1 if an input did what none may do; it is shown then.
`;
}

/**
 * Runs one target and prints what came of it.
 * @returns the exit code: 0 if nothing failed, 1 if something did or it could not be run, 2 for wrong use
 */
export async function runFuzz(
  argv: readonly string[],
  targets: readonly FuzzTarget[],
  output: FuzzOutput,
): Promise<number> {
  const options = optionsFrom(argv);
  if (typeof options === "string") {
    output.note(`${options}\n\n${usage(targets)}`);
    return 2;
  }
  if (options.help) {
    output.data(usage(targets));
    return 0;
  }
  const target = targets.find(({ name }) => name === options.target);
  if (target === undefined) {
    const known = targets.map(({ name }) => name).join(", ");
    output.note(`there is no target "${options.target}"; there are ${known}\n`);
    return 2;
  }
  let report: FuzzReport;
  try {
    report = await target.run({ ...options, progress: (text) => output.note(`${target.name}: ${text}\n`) });
  } catch (error) {
    output.note(`${target.name}: could not be run: ${error instanceof Error ? error.message : String(error)}\n`);
    return 1;
  }
  output.data(options.json ? `${JSON.stringify(report, null, 2)}\n` : summary(report));
  return report.failures.length === 0 ? 0 : 1;
}

function summary({ target, seed, sent, failures, figures }: FuzzReport): string {
  const lines = Object.entries(figures).map(([name, value]) => `  ${name.padEnd(28)} ${value}`);
  const faults = failures.map(({ kind, what, index, input }) => {
    const place = index === undefined ? "" : `, input ${index} (again: --seed ${seed} --from ${index} --count 1)`;
    return `  ${kind}: ${what}${place}${input === undefined ? "" : `\n    ${input}`}`;
  });
  const verdict = failures.length === 0 ? "nothing failed" : `${failures.length} failed`;
  return `${[`${target}: ${sent} inputs, seed ${seed}: ${verdict}`, ...lines, ...faults].join("\n")}\n`;
}

interface Options {
  readonly target: string;
  readonly count: number;
  readonly from: number;
  readonly seed: number;
  readonly judgesTime: boolean;
  readonly json: boolean;
  readonly help: boolean;
}

/** The options, or what is wrong with them. */
function optionsFrom(argv: readonly string[]): Options | string {
  try {
    const { values, positionals } = parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: {
        count: { type: "string", default: String(COUNT) },
        from: { type: "string", default: "0" },
        seed: { type: "string", default: "1" },
        "no-time": { type: "boolean", default: false },
        json: { type: "boolean", default: false },
        help: { type: "boolean", short: "h", default: false },
      },
    });
    const [target = "", ...rest] = positionals;
    if (rest.length > 0) return "one target at a time";
    if (target === "" && !values.help) return "which target?";
    return {
      target,
      count: wholeNumber("--count", values.count, 1),
      from: wholeNumber("--from", values.from, 0),
      seed: wholeNumber("--seed", values.seed, 0),
      judgesTime: !values["no-time"],
      json: values.json,
      help: values.help,
    };
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function wholeNumber(flag: string, text: string, least: number): number {
  const number = Number(text);
  if (!Number.isSafeInteger(number) || number < least)
    throw new Error(`${flag} must be a whole number from ${least} on`);
  return number;
}
