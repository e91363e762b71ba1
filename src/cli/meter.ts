import { existsSync, readFileSync } from "node:fs";
import { logFilesOf } from "../meter/log-lines.ts";
import { publicKeyFromBase64 } from "../meter/meter-key.ts";
import { type EraTotal, type LogVerification, verifyLog } from "../meter/verify-log.ts";
import { CliError, EXIT } from "./exit-code.ts";
import { type Cell, printData, printJson, printNote, table, wantsColour } from "./output.ts";
import type { AddCommand } from "./program.ts";

/** `meter verify`: whether an interval log is what was metered, and what it says. */
export const addMeterCommand: AddCommand = (program, _parts, setExit) => {
  const meter = program.command("meter").description("the signed log of metered energy");
  meter
    .command("verify")
    .description("walk the chain of an interval log and say the first record that is wrong, and why")
    .argument("<file...>", "log files in their order, or the folder that they are in")
    .option("--key <key>", "public key of the gateway: base64, or a file with it (the gateway's key file + .pub)")
    .option("--head <hash>", "hash of a record that must be there, as noted earlier")
    .option("--closed", "fail if the log was not closed in order: records may have been cut off at its end")
    .option("--json", "print one JSON object")
    .addHelpText(
      "after",
      "\nExamples:\n  setpointd meter verify /var/lib/setpointd/meter --key meter.key.pub\n  setpointd meter verify intervals-000000000001-2026-06-15.jsonl --json",
    )
    .action((paths: string[], options: { key?: string; head?: string; closed?: boolean; json?: boolean }) => {
      const publicKey = options.key === undefined ? undefined : readMeterPublicKey(options.key);
      const result = readLog(paths, (files) =>
        verifyLog(files, {
          ...(publicKey && { publicKey }),
          ...(options.head && { head: options.head.toLowerCase() }),
        }),
      );
      const isCut = options.closed === true && result.fault === undefined && !result.isClosed;
      if (options.json) printJson({ schemaVersion: 1, valid: result.fault === undefined && !isCut, ...result });
      else printVerification(result, publicKey !== undefined);
      if (isCut) printNote("not closed: the last record is not the one that ends a log in order");
      if (result.fault !== undefined || isCut) setExit(EXIT.failed);
    });
};

/**
 * Runs something over the log files of the paths.
 * @throws CliError if there are none, or they can't be read
 */
export function readLog<T>(paths: readonly string[], work: (files: readonly string[]) => T): T {
  for (const path of paths) if (!existsSync(path)) throw new CliError(EXIT.notFound, `there is no ${path}`);
  const files = paths.flatMap(logFilesOf);
  if (files.length === 0) throw new CliError(EXIT.notFound, `${paths.join(", ")}: there is no interval log in it`);
  try {
    return work(files);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === undefined) throw error;
    throw new CliError(EXIT.usage, `the log can't be read: ${(error as Error).message}`, { cause: error });
  }
}

/** @throws CliError if it is neither a public key nor a file with one */
export function readMeterPublicKey(keyOrFile: string): string {
  const text = existsSync(keyOrFile) ? readFileSync(keyOrFile, "utf8").trim() : keyOrFile;
  try {
    publicKeyFromBase64(text);
    return text;
  } catch (error) {
    throw new CliError(EXIT.usage, `--key: ${keyOrFile}: ${(error as Error).message}`, { cause: error });
  }
}

function printVerification(result: LogVerification, isKeyKnown: boolean): void {
  const { fault, records, firstSeq, lastSeq, head, publicKey, totals } = result;
  if (totals.length > 0) {
    const heading = ["RESOURCE", "FROM", "TO", "MEASURED", "ESTIMATED", "GAPS", "IMPORT", "EXPORT", "IN GAPS"];
    printData(table(heading, totals.map(totalRow), { colour: wantsColour(), width: process.stdout.columns ?? 200 }));
  }
  if (fault !== undefined) {
    printData(`${fault.file}:${fault.line}  ${fault.kind.toUpperCase()}: ${fault.message}`);
    printData(`${records} ${records === 1 ? "record" : "records"} before it are sound`);
    return;
  }
  printData(`ok · records ${firstSeq} to ${lastSeq} (${records}) · ${result.isClosed ? "closed" : "not closed"}`);
  printData(
    `key  ${publicKey}${isKeyKnown ? "" : "  (the log's own word; give --key to hold it against one you trust)"}`,
  );
  printData(`head ${head}`);
  if (firstSeq !== 1) printNote(`the log begins with record ${firstSeq}: the files before it were not given`);
  for (const { era, holes } of totals) {
    if (holes > 0)
      printNote(`${era}: ${holes} ${holes === 1 ? "hole" : "holes"} without any record, not even of a gap`);
  }
}

function totalRow(total: EraTotal): Cell[] {
  const right = (text: string): Cell => ({ text, align: "right" });
  const inGaps = [total.gapImportWh, total.gapExportWh].some((energyWh) => energyWh !== undefined);
  return [
    { text: total.era },
    { text: total.start },
    { text: total.end },
    right(String(total.measured)),
    right(String(total.estimated)),
    { ...right(String(total.gaps)), paint: total.gaps > 0 ? "yellow" : "plain" },
    right(kWhCell(total.importWh)),
    right(kWhCell(total.exportWh)),
    right(inGaps ? kWhCell((total.gapImportWh ?? 0) + (total.gapExportWh ?? 0)) : "–"),
  ];
}

function kWhCell(energyWh: number | undefined): string {
  return energyWh === undefined ? "–" : `${(energyWh / 1000).toFixed(3)} kWh`;
}
