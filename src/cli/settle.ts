import { writeFileSync } from "node:fs";
import { systemClock } from "../clock.ts";
import { sha256 } from "../meter/record-seal.ts";
import { loadRules, RulesError } from "../meter/rules-file.ts";
import { tradeFromRecord } from "../meter/trades-from-log.ts";
import { verifyLog } from "../meter/verify-log.ts";
import { basisText } from "../settlement/line-basis.ts";
import { amountText } from "../settlement/money.ts";
import { settlementReport } from "../settlement/report.ts";
import { settlementCsv } from "../settlement/report-csv.ts";
import { contentHashOf, settlementJson } from "../settlement/report-json.ts";
import { settlementPage } from "../settlement/report-page.ts";
import type { SettlementReport } from "../settlement/report-shape.ts";
import { SettlementError, type SettlementRules } from "../settlement/settlement-rules.ts";
import type { TradedInterval } from "../settlement/traded-interval.ts";
import { CliError, EXIT } from "./exit-code.ts";
import { readLog, readMeterPublicKey } from "./meter.ts";
import { type Cell, paint, printData, printJson, printNote, table, wantsColour } from "./output.ts";
import type { AddCommand } from "./program.ts";

interface SettleOptions {
  readonly log: readonly string[];
  readonly rules: string;
  readonly key?: string;
  readonly id?: string;
  readonly csv?: string;
  readonly page?: string;
  readonly json?: boolean;
}

/** `settle`: from an interval log and rules to who pays whom. */
export const addSettleCommand: AddCommand = (program) => {
  program
    .command("settle")
    .description("settle an interval log by rules: who pays whom how much, as a report that adds up")
    .requiredOption("--log <file...>", "interval log: files in their order, or their folder; verified first")
    .requiredOption("--rules <file>", "YAML: currency, payer, flows")
    .option("--key <key>", "public key that must have signed the log: base64, or a file with it")
    .option(
      "--id <id>",
      "id of the report, at most 39 characters; default: made from the log's last hash and the rules",
    )
    .option("--csv <file>", "write the lines as CSV")
    .option("--page <file>", "write the report as a page (HTML) to read and print")
    .option("--json", "print one JSON object, in the market's form")
    .addHelpText(
      "after",
      "\nExample:\n  setpointd settle --log /var/lib/setpointd/meter --rules p2p.yaml --page report.html --csv report.csv",
    )
    .action((options: SettleOptions) => {
      const report = settle(options);
      const hash = (text: string) => `sha256:${sha256(text)}`;
      if (options.csv !== undefined) writeOut(options.csv, settlementCsv(report));
      if (options.page !== undefined) writeOut(options.page, settlementPage(report, contentHashOf(report, hash)));
      if (options.json) printJson({ schemaVersion: 1, ...settlementJson(report, hash) });
      else printReport(report);
      const unsettled = report.cycles.reduce((sum, cycle) => sum + cycle.trade.unsettled.length, 0);
      if (unsettled > 0) {
        printNote(
          `${unsettled} ${unsettled === 1 ? "interval is" : "intervals are"} in no amount; --json or --page say why`,
        );
      }
    });
};

function settle(options: SettleOptions): SettlementReport {
  const publicKey = options.key === undefined ? undefined : readMeterPublicKey(options.key);
  try {
    const { rules, eras } = loadRules(options.rules);
    const wanted = eras === undefined ? undefined : new Set(eras);
    const trades: TradedInterval[] = [];
    const { fault, head = "" } = readLog(options.log, (files) =>
      verifyLog(files, {
        ...(publicKey && { publicKey }),
        onInterval: (record) => {
          if (wanted?.has(record.era) ?? true) trades.push(tradeFromRecord(record, rules.direction));
        },
      }),
    );
    if (fault !== undefined) {
      throw new CliError(
        EXIT.failed,
        `nothing is settled from a log that is not sound: ${fault.file}:${fault.line} ${fault.kind}: ${fault.message}`,
      );
    }
    if (trades.length === 0) throw new CliError(EXIT.failed, "the log has no interval that these rules are for");
    const reportId = options.id ?? `settle-${sha256(`${head} ${rulesText(rules)}`).slice(0, 24)}`;
    return settlementReport(trades, rules, { reportId, generatedAtMs: systemClock.now() });
  } catch (error) {
    if (error instanceof RulesError) throw new CliError(EXIT.usage, error.message, { cause: error });
    if (error instanceof SettlementError) throw new CliError(EXIT.failed, error.message, { cause: error });
    throw error;
  }
}

/** The same log and the same rules give the same id. */
function rulesText(rules: SettlementRules): string {
  return JSON.stringify(rules, (_key, value: unknown) => (typeof value === "bigint" ? value.toString() : value));
}

function writeOut(file: string, text: string): void {
  try {
    writeFileSync(file, text);
  } catch (error) {
    throw new CliError(EXIT.usage, `${file} can't be written: ${(error as Error).message}`, { cause: error });
  }
}

function printReport(report: SettlementReport): void {
  const { rules, cycles, totalMinor } = report;
  const colour = wantsColour();
  const width = process.stdout.columns ?? 160;
  const right = (text: string): Cell => ({ text, align: "right" });
  for (const cycle of cycles) {
    if (cycle.trade.lines.length === 0) continue;
    printData(`${cycle.orderId ?? cycle.trade.intervals[0]?.interval.era ?? cycle.cycleId} · ${cycle.cycleId}`);
    const rows = cycle.trade.lines.map((line): Cell[] => [
      { text: line.rule.description },
      { text: basisText(line.rule, { ...line, currency: rules.currency }), paint: "dim" },
      { text: `${line.from.era} → ${line.to.era}` },
      right(`${amountText(line.amountMinor, rules.currency)} ${rules.currency}`),
    ]);
    printData(table(["LINE", "HOW", "WHO PAYS WHOM", "AMOUNT"], rows, { colour, width }));
    printData("");
  }
  const flows = report.flows.map(({ party, description, amountMinor }): Cell[] => [
    { text: party.era },
    { text: party.role },
    { text: description },
    right(`${amountText(amountMinor, rules.currency)} ${rules.currency}`),
  ]);
  printData(table(["PARTY", "ROLE", "FOR", "GETS"], flows, { colour, width }));
  const total = `${amountText(totalMinor, rules.currency)} ${rules.currency}`;
  printData(
    paint(
      `\n${report.reportId}: ${rules.payer.era} pays ${total} · rounded once a line, ${rules.rounding}`,
      "bold",
      colour,
    ),
  );
}
