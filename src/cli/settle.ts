import { readFileSync, writeFileSync } from "node:fs";
import { systemClock } from "../clock.ts";
import { sha256 } from "../meter/record-seal.ts";
import { loadRules, RulesError } from "../meter/rules-file.ts";
import { tradesFromRecord } from "../meter/trades-from-log.ts";
import { verifyLog } from "../meter/verify-log.ts";
import { OcpiFault } from "../ocpi/ocpi-fault.ts";
import type { Cdr } from "../ocpi/ocpi-objects.ts";
import { checkObject } from "../ocpi/ocpi-schemas.ts";
import { tradesFromCdr } from "../ocpi/trades-from-cdr.ts";
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
  readonly log?: readonly string[];
  readonly cdr?: readonly string[];
  readonly zone: string;
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
    .description("settle an interval log, or OCPI CDRs, by rules: who pays whom how much, as a report that adds up")
    .option("--log <file...>", "interval log: files in their order, or their folder; verified first")
    .option("--cdr <file...>", "OCPI charge detail records instead, one JSON object a file")
    .option("--zone <name>", "time zone of the CDRs' locations, for tariffs with times of day", "UTC")
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
      "\nExamples:\n  setpointd settle --log /var/lib/setpointd/meter --rules p2p.yaml --page report.html --csv report.csv\n  setpointd settle --cdr cdr.json --rules roaming.yaml",
    )
    .action((options: SettleOptions) => {
      const report = settle(options);
      const hash = (text: string) => `sha256:${sha256(text)}`;
      if (options.csv !== undefined) writeOut(options.csv, settlementCsv(report));
      if (options.page !== undefined) writeOut(options.page, settlementPage(report, contentHashOf(report, hash)));
      if (options.json) printJson({ schemaVersion: 1, ...settlementJson(report, hash) });
      else printReport(report);
      noteUnsettled(report);
    });
};

function noteUnsettled({ cycles }: SettlementReport): void {
  const counts = new Map<string, number>();
  for (const { reason } of cycles.flatMap(({ trade }) => trade.unsettled)) {
    counts.set(reason, (counts.get(reason) ?? 0) + 1);
  }
  for (const [reason, count] of counts) {
    printNote(`${count} ${count === 1 ? "interval is" : "intervals are"} in no amount: ${reason}`);
  }
}

function settle(options: SettleOptions): SettlementReport {
  try {
    const { rules, eras } = loadRules(options.rules);
    const { trades: all, head } = readTrades(options, rules);
    const trades = eras === undefined ? all : all.filter(({ era }) => eras.includes(era));
    if (trades.length === 0) throw new CliError(EXIT.failed, "there is no interval that these rules are for");
    const reportId = options.id ?? `settle-${sha256(`${head} ${rulesText(rules)}`).slice(0, 24)}`;
    return settlementReport(trades, rules, { reportId, generatedAtMs: systemClock.now() });
  } catch (error) {
    if (error instanceof RulesError) throw new CliError(EXIT.usage, error.message, { cause: error });
    if (error instanceof SettlementError) throw new CliError(EXIT.failed, error.message, { cause: error });
    throw error;
  }
}

interface ReadTrades {
  readonly trades: readonly TradedInterval[];
  /** Changes with what was read. */
  readonly head: string;
}

function readTrades(options: SettleOptions, rules: SettlementRules): ReadTrades {
  const { log, cdr, zone } = options;
  if ((log === undefined) === (cdr === undefined)) throw new CliError(EXIT.usage, "give --log or --cdr, and not both");
  return cdr === undefined ? fromLog(log ?? [], options.key, rules) : fromCdrs(cdr, zone, rules);
}

function fromLog(paths: readonly string[], key: string | undefined, rules: SettlementRules): ReadTrades {
  const publicKey = key === undefined ? undefined : readMeterPublicKey(key);
  const trades: TradedInterval[] = [];
  const { fault, head = "" } = readLog(paths, (files) =>
    verifyLog(files, {
      ...(publicKey && { publicKey }),
      onInterval: (record) => trades.push(...tradesFromRecord(record, rules)),
    }),
  );
  if (fault === undefined) return { trades, head };
  throw new CliError(
    EXIT.failed,
    `nothing is settled from a log that is not sound: ${fault.file}:${fault.line} ${fault.kind}: ${fault.message}`,
  );
}

function fromCdrs(files: readonly string[], zone: string, rules: SettlementRules): ReadTrades {
  const texts = files.map((file) => readText(file));
  const trades = files.flatMap((file, index) => {
    try {
      return tradesFromCdr(parsedCdr(texts[index] ?? ""), rules.direction, zone);
    } catch (error) {
      if (!(error instanceof RangeError || error instanceof SyntaxError || error instanceof OcpiFault)) throw error;
      throw new CliError(EXIT.failed, `${file}: ${error.message}`, { cause: error });
    }
  });
  return { trades, head: sha256(texts.join("\n")) };
}

/** In whichever version it is: the older one has prices with and without VAT, the newer one taxes of several kinds. */
function parsedCdr(text: string): Cdr {
  const json: unknown = JSON.parse(text);
  const isOlder = Object.hasOwn((json as { total_cost?: object }).total_cost ?? {}, "excl_vat");
  return checkObject(isOlder ? "2.2.1" : "2.3.0", "cdrs", json) as unknown as Cdr;
}

function readText(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    throw new CliError(EXIT.notFound, `${file} can't be read: ${(error as Error).message}`, { cause: error });
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
    const way = rules.reverse === undefined ? "" : ` · ${cycle.direction === "IMPORT" ? "taken in" : "given out"}`;
    printData(`${cycle.orderId ?? cycle.trade.intervals[0]?.interval.era ?? cycle.cycleId} · ${cycle.cycleId}${way}`);
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
  const isPaid = totalMinor >= 0n;
  const total = `${amountText(isPaid ? totalMinor : -totalMinor, rules.currency)} ${rules.currency}`;
  printData(
    paint(
      `\n${report.reportId}: ${rules.payer.era} ${isPaid ? "pays" : "gets"} ${total} · rounded once a line, ${rules.rounding}`,
      "bold",
      colour,
    ),
  );
}
