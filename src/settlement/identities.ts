import { minorFromNano } from "./money.ts";
import type { SettlementReport } from "./report-shape.ts";
import { congestionNano, isBesideTrade } from "./revenue-flows.ts";
import { hasResidual, isSameParty, rulesOf, SettlementError } from "./settlement-rules.ts";

/**
 * Holds a report against what must be true of any: nothing leaves that does not add up.
 * @throws SettlementError naming the sum that is wrong and by how much
 */
export function checkIdentities(report: SettlementReport): void {
  const { cycles, flows, balances, totalMinor } = report;
  const equal = (what: string, one: bigint, other: bigint) => {
    if (one !== other)
      throw new SettlementError(`report ${report.reportId} does not add up: ${what}: ${one} against ${other}`);
  };
  const sum = (amounts: readonly bigint[]) => amounts.reduce((before, amount) => before + amount, 0n);
  equal("flows and total", sum(flows.map((flow) => flow.amountMinor)), totalMinor);
  equal("cycles and total", sum(cycles.map((cycle) => cycle.amountMinor)), totalMinor);
  equal("all parties together", sum(balances.map((balance) => balance.amountMinor)), 0n);
  const payer = balances.find((balance) => isSameParty(balance.party, report.rules.payer));
  equal("payer and payees", -(payer?.amountMinor ?? 0n), totalMinor);
  // A credit takes back each line; its intervals are those of the report that it takes back.
  const sign = report.credits === undefined ? 1n : -1n;
  for (const { trade, direction } of cycles) {
    const rules = rulesOf(report.rules, direction);
    equal("intervals", sum(trade.intervals.map((one) => one.amountNano)), trade.intervalsNano);
    const rounded = minorFromNano(trade.intervalsNano, rules.currency, rules.rounding) * sign;
    const tradeLines = trade.lines.filter(({ rule }) => !isBesideTrade(rule));
    if (hasResidual(rules)) equal("lines and intervals", sum(tradeLines.map((line) => line.amountMinor)), rounded);
    for (const { rule, amountMinor } of tradeLines) {
      if (rule.kind !== "energy" || rule.microPerKWh !== undefined) continue;
      const ownNano = trade.intervalsNano - congestionNano(trade.intervals, rules);
      const own = minorFromNano(ownNano, rules.currency, rules.rounding) * sign;
      equal("energy line and intervals", amountMinor, own);
    }
  }
}
