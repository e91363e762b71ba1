import { shortDecimal } from "./decimal.ts";
import { basisText, instant, kWhText } from "./line-basis.ts";
import { amountText, NANO_DIGITS, PRICE_DIGITS } from "./money.ts";
import type { SettlementCycle, SettlementReport } from "./report-shape.ts";
import type { Party, SettlementRules } from "./settlement-rules.ts";

const ROUNDING_TEXT = { HALF_EVEN: "half to even", HALF_UP: "half away from zero" } as const;

const DIRECTION_TEXT = { IMPORT: "taken in", EXPORT: "given out" } as const;

const STYLE = `
:root { color-scheme: light dark }
body { font: 15px/1.45 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
h1 { font-size: 1.5rem; margin: 0 } h2 { font-size: 1.1rem; margin: 2rem 0 .3rem; break-after: avoid }
.sub { opacity: .7; margin: .2rem 0 1rem } .total { font-size: 1.4rem; font-weight: 600 }
.scroll { overflow-x: auto }
table { border-collapse: collapse; width: 100% } th { text-align: left; font-weight: 600 }
th, td { padding: .3rem .6rem .3rem 0; border-bottom: 1px solid #8885; vertical-align: top }
.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap }
tfoot td { font-weight: 600; border-bottom: 0 } thead { display: table-header-group } tr { break-inside: avoid }
.notice { border-left: 4px solid #c60; padding-left: .8rem } .small { font-size: .85rem; overflow-wrap: anywhere }
@media print { body { margin: 0; max-width: none; font-size: 10.5pt } .scroll { overflow: visible } @page { margin: 18mm } }
`;

/** A column heading; `n` for numbers. */
type Column = readonly [title: string, kind: "t" | "n"];

/**
 * A report to read and to print: one HTML page that needs nothing else, runs nothing, and shows every text as text.
 * @param contentHash of the report as JSON, printed at the foot
 */
export function settlementPage(report: SettlementReport, contentHash: string): string {
  const { rules, credits } = report;
  const { currency } = rules;
  // Who gives more than it takes is paid.
  const isPaid = report.totalMinor >= 0n;
  const title = `${credits === undefined ? "Settlement report" : "Credit"} ${report.reportId}`;
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${safe(title)}</title><style>${STYLE}</style></head><body>
<h1>${safe(title)}</h1>
<p class="sub">${readable(report.generatedAtMs)} UTC${credits === undefined ? "" : ` · takes back ${safe(credits.reportId)}`}</p>
<p class="total">${safe(amountText(isPaid ? report.totalMinor : -report.totalMinor, currency))} ${safe(currency)}</p>
<p>paid ${isPaid ? "by" : "to"} ${party(rules.payer)}</p>
${unsettledNotice(report)}
<h2>Who gets what</h2>
${table(
  [
    ["Party", "t"],
    ["For", "t"],
    [currency, "n"],
  ],
  report.flows.map((flow) => [party(flow.party), safe(flow.description), safe(amountText(flow.amountMinor, currency))]),
  ["Total", "", safe(amountText(report.totalMinor, currency))],
)}
${report.cycles.map((cycle) => cycleSection(cycle, rules)).join("\n")}
<h2>How it was counted</h2>
<p class="small">Energy is the difference of the meter's registers. Each line is rounded once to the minor unit of
${safe(currency)}, ${ROUNDING_TEXT[rules.rounding]}; intervals are not rounded. The price is paid for the
${rules.quantity === "METERED" ? "metered" : "cleared"} energy, ${rules.reverse === undefined ? DIRECTION_TEXT[rules.direction] : "taken in and given out apart from each other"}.
Net is all that is paid for the trade without taxes, gross the same with taxes.</p>
<p class="small">Content hash: ${safe(contentHash)}</p>
</body></html>
`;
}

function cycleSection(cycle: SettlementCycle, rules: SettlementRules): string {
  const { currency } = rules;
  const { trade } = cycle;
  const isPaid = cycle.amountMinor >= 0n;
  return `<h2>${safe(cycle.orderId === undefined ? cycle.cycleId : `Order ${cycle.orderId}`)}</h2>
<p class="sub">${readable(cycle.startMs)} to ${readable(cycle.endMs)} UTC${rules.reverse === undefined ? "" : ` · energy ${DIRECTION_TEXT[cycle.direction]}`}</p>
${table(
  [
    ["Line", "t"],
    ["How", "t"],
    ["From", "t"],
    ["To", "t"],
    ["Before rounding", "n"],
    [currency, "n"],
  ],
  trade.lines.map((line) => [
    safe(line.rule.description),
    safe(basisText(line.rule, { ...line, currency })),
    party(line.from),
    party(line.to),
    safe(shortDecimal(line.unroundedNano, NANO_DIGITS)),
    safe(amountText(line.amountMinor, currency)),
  ]),
  [
    `Paid ${isPaid ? "by" : "to"} ${party(rules.payer)}`,
    "",
    "",
    "",
    "",
    safe(amountText(isPaid ? cycle.amountMinor : -cycle.amountMinor, currency)),
  ],
)}
<details open><summary>Intervals (${trade.intervals.length + trade.unsettled.length})</summary>
${table(
  [
    ["From (UTC)", "t"],
    ["To (UTC)", "t"],
    ["Resource", "t"],
    ["Quality", "t"],
    ["kWh", "n"],
    ["Price", "n"],
    ["Amount", "n"],
  ],
  [
    ...trade.intervals.map(({ interval, settledWh, microPerKWh, amountNano }) => [
      readable(interval.startMs),
      readable(interval.endMs),
      safe(interval.era),
      interval.quality,
      kWhText(settledWh),
      shortDecimal(microPerKWh, PRICE_DIGITS),
      shortDecimal(amountNano, NANO_DIGITS),
    ]),
    ...trade.unsettled.map(({ interval, reason }) => [
      readable(interval.startMs),
      readable(interval.endMs),
      safe(interval.era),
      `not settled: ${safe(reason)}`,
      interval.meteredWh === undefined ? "–" : kWhText(interval.meteredWh),
      "–",
      "–",
    ]),
  ],
)}</details>`;
}

function unsettledNotice({ cycles }: SettlementReport): string {
  const count = cycles.reduce((sum, cycle) => sum + cycle.trade.unsettled.length, 0);
  if (count === 0) return "";
  return `<p class="notice">${count} ${count === 1 ? "interval is" : "intervals are"} not settled and not in any amount; the reason stands beside each.</p>`;
}

/** @param rows cells that are HTML already */
function table(columns: readonly Column[], rows: readonly (readonly string[])[], foot?: readonly string[]): string {
  const line = (tag: "th" | "td", cells: readonly string[]) =>
    `<tr>${cells.map((cell, index) => `<${tag}${columns[index]?.[1] === "n" ? ' class="n"' : ""}>${cell}</${tag}>`).join("")}</tr>`;
  const head = line(
    "th",
    columns.map(([title]) => safe(title)),
  );
  const end = foot === undefined ? "" : `<tfoot>${line("td", foot)}</tfoot>`;
  return `<div class="scroll"><table><thead>${head}</thead><tbody>${rows.map((row) => line("td", row)).join("\n")}</tbody>${end}</table></div>`;
}

/** An instant for a person, in UTC: seconds only where there are any. */
function readable(epochMs: number): string {
  return instant(epochMs)
    .replace("T", " ")
    .replace(/(:00)?(\.000)?Z$/, "");
}

function party({ era, role }: Party): string {
  return `${safe(era)} <span class="sub">${safe(role)}</span>`;
}

const ESCAPES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

function safe(text: string): string {
  return text.replace(/[&<>"']/g, (letter) => ESCAPES[letter] ?? "");
}
