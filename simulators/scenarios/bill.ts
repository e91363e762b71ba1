import { amountText } from "../../src/settlement/money.ts";
import { settlementReport } from "../../src/settlement/report.ts";
import type { SettlementReport } from "../../src/settlement/report-shape.ts";
import type { FlowRule, Party, SettlementRules } from "../../src/settlement/settlement-rules.ts";
import type { Neighbourhood } from "./neighbourhood.ts";
import type { Stage } from "./stage.ts";

/** A price or rate per kWh in millionths, as the settlement counts. */
export const micro = (perKWh: number): bigint => BigInt(Math.round(perKWh * 1_000_000));

/** Stops a site's gateway, walks its signed interval log and settles what it metered. */
export async function settleSite(
  stage: Stage,
  { sites }: Neighbourhood,
  site: string,
  options: {
    readonly direction: "IMPORT" | "EXPORT";
    readonly payer: Party;
    readonly flows: readonly FlowRule[];
    readonly quantity?: SettlementRules["quantity"];
  },
): Promise<SettlementReport> {
  await sites.get(site)?.[Symbol.asyncDispose]();
  const log = stage.context.host.readMeterLog(stage.folder(site), options.direction);
  stage.check(
    `the meter log of ${site} is sound`,
    log.fault === undefined && log.records > 0,
    log.fault ?? `${log.records} records, each signed and chained`,
  );
  const priced = log.trades.filter((trade) => trade.microPerKWh !== undefined);
  const rules: SettlementRules = {
    currency: "EUR",
    rounding: "HALF_EVEN",
    direction: options.direction,
    quantity: options.quantity ?? "METERED",
    payer: options.payer,
    flows: options.flows,
  };
  return settlementReport(priced, rules, { reportId: `${site}-report`, generatedAtMs: stage.clock.now() });
}

/** The bill as a table, and that it adds up to the minor unit. */
export function showBill(stage: Stage, report: SettlementReport, title: string): void {
  const { currency } = report.rules;
  stage.table(
    title,
    ["to", "role", "for", `amount ${currency}`],
    [
      ...report.flows.map(({ party, description, amountMinor }) => [
        party.era,
        party.role,
        description,
        amountText(amountMinor, currency),
      ]),
      [report.rules.payer.era, "pays", "in sum", amountText(report.totalMinor, currency)],
    ],
  );
  const flowsMinor = report.flows.reduce((sum, { amountMinor }) => sum + amountMinor, 0n);
  stage.check(
    `${title}: what is paid is what is received`,
    flowsMinor === report.totalMinor && report.totalMinor > 0n,
    `${amountText(flowsMinor, currency)} received, ${amountText(report.totalMinor, currency)} ${currency} paid`,
  );
  const netMinor = report.balances.reduce((sum, { amountMinor }) => sum + amountMinor, 0n);
  stage.check(
    `${title}: all balances together are nothing`,
    netMinor === 0n,
    `${amountText(netMinor, currency)} ${currency}`,
  );
}

/** Energy that was settled, whole Wh. */
export function settledWh(report: SettlementReport): number {
  return report.cycles.reduce(
    (sum, { trade }) => sum + trade.intervals.reduce((inner, { interval }) => inner + (interval.meteredWh ?? 0), 0),
    0,
  );
}
