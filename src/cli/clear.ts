import { readFileSync } from "node:fs";
import { systemClock } from "../clock.ts";
import { Refusal } from "../market/answer.ts";
import { parseStrictJson } from "../market/strict-json.ts";
import { CliError, EXIT } from "./exit-code.ts";
import { printJson } from "./output.ts";
import type { AddCommand } from "./program.ts";

/** A million bids of three points each. */
const MAX_REQUEST_BYTES = 512 * 1024 * 1024;

/** `clear`: bids in, price and setpoints out, without a market around it. */
export const addClearCommand: AddCommand = (program) => {
  program
    .command("clear")
    .description("clear an aggregationRequest and print the aggregationResult, as JSON")
    .argument("<file>", "the request, or the message around it; - for standard input")
    .addHelpText("after", "\nExamples:\n  setpointd clear request.json\n  cat request.json | setpointd clear -")
    .action(async (file: string) => {
      const [{ clearGrid }, { clearRequest }] = await Promise.all([
        import("../clearing/grid/clear-grid.ts"),
        import("../market/provider/aggregation.ts"),
      ]);
      const bytes = readInput(file);
      if (bytes.length > MAX_REQUEST_BYTES) {
        throw new CliError(EXIT.usage, `${file} has more than ${MAX_REQUEST_BYTES / 1024 / 1024} MiB`);
      }
      const json = parseStrictJson(bytes);
      if (!json.ok) throw new CliError(EXIT.usage, withPlace(file, json.path, json.fault));
      try {
        printJson(clearRequest(json.value, clearGrid, systemClock.now()));
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        throw new CliError(EXIT.usage, withPlace(file, error.path, error.message), { cause: error });
      }
    });
};

function readInput(file: string): Buffer {
  try {
    return readFileSync(file === "-" ? 0 : file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    throw new CliError(EXIT.notFound, `there is no file ${file}`);
  }
}

function withPlace(file: string, path: string, fault: string): string {
  return path === "" ? `${file}: ${fault}` : `${file}: ${path}: ${fault}`;
}
