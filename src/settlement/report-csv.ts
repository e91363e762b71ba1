import { shortDecimal } from "./decimal.ts";
import { basisText, instant } from "./line-basis.ts";
import { amountText, NANO_DIGITS } from "./money.ts";
import type { SettlementReport } from "./report-shape.ts";

const HEADING = [
  "report_id",
  "cycle_id",
  "order_id",
  "start",
  "end",
  "line",
  "description",
  "basis",
  "from_era",
  "from_role",
  "to_era",
  "to_role",
  "unrounded",
  "amount",
  "currency",
] as const;

/** The lines of a report as CSV (RFC 4180, CRLF), amounts with the decimal places of the currency. */
export function settlementCsv(report: SettlementReport): string {
  const { currency } = report.rules;
  const rows = report.cycles.flatMap((cycle) =>
    cycle.trade.lines.map((line) => [
      text(report.reportId),
      text(cycle.cycleId),
      text(cycle.orderId ?? ""),
      instant(cycle.startMs),
      instant(cycle.endMs),
      text(line.rule.name),
      text(line.rule.description),
      text(basisText(line.rule, { ...line, currency })),
      text(line.from.era),
      text(line.from.role),
      text(line.to.era),
      text(line.to.role),
      shortDecimal(line.unroundedNano, NANO_DIGITS),
      amountText(line.amountMinor, currency),
      currency,
    ]),
  );
  return [HEADING, ...rows].map((row) => `${row.join(",")}\r\n`).join("");
}

/** A text that a spreadsheet shows as it is: one that begins like a formula gets an apostrophe before it. */
function text(value: string): string {
  const shown = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(shown) ? `"${shown.replaceAll('"', '""')}"` : shown;
}
