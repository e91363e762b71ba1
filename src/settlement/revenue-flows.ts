import { splitByLargestRemainder } from "./largest-remainder.ts";
import { divideRounded, minorDigits, minorFromNano, NANO_DIGITS, nanoAmount, nanoFromMinor } from "./money.ts";
import { basesFromCharges, basesFromTotal, type Ratio, shareOf } from "./percent-bases.ts";
import {
  type FlowRule,
  hasResidual,
  needsIntervalPrice,
  type Party,
  SettlementError,
  type SettlementRules,
} from "./settlement-rules.ts";
import type { TradedInterval } from "./traded-interval.ts";

/** One interval that was settled. */
export interface SettledInterval {
  readonly interval: TradedInterval;
  /** Energy that the price was paid for, Wh. */
  readonly settledWh: number;
  readonly microPerKWh: bigint;
  /** Energy × price, unrounded, 10^-9 currency units. */
  readonly amountNano: bigint;
}

/** An interval that no price can be put on, with the reason for a person. It is in the report, and in no amount. */
export interface UnsettledInterval {
  readonly interval: TradedInterval;
  readonly reason: string;
}

/** One line of a bill: one party pays another. */
export interface SettlementLine {
  readonly rule: FlowRule;
  readonly from: Party;
  readonly to: Party;
  /** Energy that a rate was applied to, Wh; absent for lines that don't go by energy. */
  readonly energyWh?: number;
  /** What a percentage was taken of, minor units, rounded for the reader. */
  readonly baseMinor?: bigint;
  /** Before rounding, 10^-9 currency units (itself rounded down to one where a percentage goes on for ever). */
  readonly unroundedNano: bigint;
  /** What is paid. Negative: it goes the other way. */
  readonly amountMinor: bigint;
}

/** One trade, settled. */
export interface SettledTrade {
  readonly intervals: readonly SettledInterval[];
  readonly unsettled: readonly UnsettledInterval[];
  /** Σ energy × price over the intervals, unrounded. */
  readonly intervalsNano: bigint;
  readonly lines: readonly SettlementLine[];
}

/**
 * Settles the intervals of one trade. Each line is rounded once; residual parties share what is left of the rounded total
 * by largest remainder, so that nothing is lost or made up.
 * @param rules checked by `checkRules`
 * @throws SettlementError if the rules can't be applied to these intervals
 */
export function settleTrade(intervals: readonly TradedInterval[], rules: SettlementRules): SettledTrade {
  const settled: SettledInterval[] = [];
  const unsettled: UnsettledInterval[] = [];
  for (const interval of intervals) {
    const result = settleInterval(interval, rules);
    if (typeof result === "string") unsettled.push({ interval, reason: result });
    else settled.push(result);
  }
  const intervalsNano = sum(settled.map((one) => one.amountNano));
  // Where nothing could be settled nothing is charged, a fixed fee neither.
  const lines = settled.length === 0 ? [] : linesOf(settled, intervalsNano, rules);
  return { intervals: settled, unsettled, intervalsNano, lines };
}

/** An interval with its amount, or why it has none. */
function settleInterval(interval: TradedInterval, rules: SettlementRules): SettledInterval | string {
  if (interval.quality === "GAP") return `gap: ${interval.reason ?? "no reading"}`;
  if (interval.meteredWh === undefined) return `the meter has no ${rules.direction.toLowerCase()} register`;
  const settledWh = rules.quantity === "METERED" ? interval.meteredWh : interval.clearedWh;
  if (settledWh === undefined) return "nothing was cleared";
  if (interval.currency !== undefined && interval.currency !== rules.currency) {
    return `its price is in ${interval.currency}, and nothing is converted`;
  }
  const microPerKWh = needsIntervalPrice(rules) ? interval.microPerKWh : ownPriceOf(rules);
  if (microPerKWh === undefined) return "no price was cleared";
  return { interval, settledWh, microPerKWh, amountNano: nanoAmount(settledWh, microPerKWh) };
}

/** Where no rule asks for the interval's price: the first energy line's own, and 0 where energy has no price at all. */
function ownPriceOf(rules: SettlementRules): bigint {
  for (const rule of rules.flows) if (rule.kind === "energy" && rule.microPerKWh !== undefined) return rule.microPerKWh;
  return 0n;
}

/** A line whose amount does not depend on the others; `undefined` for percentages and residual parties. */
function chargeOf(
  rule: FlowRule,
  settled: readonly SettledInterval[],
  intervalsNano: bigint,
  rules: SettlementRules,
): { nano: bigint; energyWh?: number } | undefined {
  const settledWh = total(settled.map((one) => one.settledWh));
  const meteredWh = total(settled.map((one) => one.interval.meteredWh ?? 0));
  switch (rule.kind) {
    case "energy":
      return {
        energyWh: settledWh,
        nano:
          rule.microPerKWh === undefined
            ? intervalsNano - congestionNano(settled, rules)
            : nanoAmount(settledWh, rule.microPerKWh),
      };
    case "perKWh":
      return { energyWh: meteredWh, nano: nanoAmount(meteredWh, rule.microPerKWh) };
    case "congestion": {
      const congested = settled.filter((one) => one.interval.adderMicroPerKWh !== undefined);
      return {
        energyWh: total(congested.map((one) => one.settledWh)),
        nano: congestionNano(settled, rules),
      };
    }
    case "fixed":
      return { nano: nanoFromMinor(rule.amountMinor, rules.currency) };
    case "imbalance": {
      const excessWh = total(settled.map(({ interval }) => (interval.meteredWh ?? 0) - (interval.clearedWh ?? 0)));
      const owedWh = owedForExcess(excessWh, rules.direction);
      return { energyWh: owedWh, nano: nanoAmount(owedWh, rule.microPerKWh) };
    }
    case "penalty": {
      const missingWh = total(
        settled.map(({ interval }) => Math.max(0, (interval.clearedWh ?? 0) - (interval.meteredWh ?? 0))),
      );
      return { energyWh: missingWh, nano: nanoAmount(missingWh, rule.microPerKWh) };
    }
    default:
      return undefined;
  }
}

/** The part of the intervals' prices that the congestion line has, unrounded; nothing where no rule asks for it. */
export function congestionNano(settled: readonly SettledInterval[], rules: SettlementRules): bigint {
  if (!rules.flows.some((rule) => rule.kind === "congestion")) return 0n;
  return sum(settled.map((one) => nanoAmount(one.settledWh, one.interval.adderMicroPerKWh ?? 0n)));
}

/** Energy that a deviating party owes the system: what it drew too much, or gave too little. */
function owedForExcess(excessWh: number, direction: SettlementRules["direction"]): number {
  return direction === "IMPORT" || excessWh === 0 ? excessWh : -excessWh;
}

function linesOf(
  settled: readonly SettledInterval[],
  intervalsNano: bigint,
  rules: SettlementRules,
): readonly SettlementLine[] {
  const charges = new Map(rules.flows.map((rule) => [rule, chargeOf(rule, settled, intervalsNano, rules)]));
  const nanoOf = (matches: (rule: FlowRule) => boolean) =>
    sum(rules.flows.filter(matches).map((rule) => charges.get(rule)?.nano ?? 0n));
  const isEnergy = (rule: FlowRule) => rule.kind === "energy";
  const energyNano = rules.flows.some(isEnergy) ? nanoOf(isEnergy) : intervalsNano;
  const bases = hasResidual(rules)
    ? basesFromTotal(energyNano, intervalsNano, rules.flows)
    : basesFromCharges(
        energyNano,
        nanoOf((rule) => !isBesideTrade(rule)),
        rules.flows,
      );
  const lines = new Map<FlowRule, SettlementLine>();
  for (const rule of rules.flows) {
    const charge = charges.get(rule);
    const parties = { rule, from: "from" in rule ? rule.from : rules.payer, to: rule.to };
    if (charge !== undefined) {
      const { nano, energyWh } = charge;
      const amountMinor = minorFromNano(nano, rules.currency, rules.rounding);
      lines.set(rule, { ...parties, ...(energyWh !== undefined && { energyWh }), unroundedNano: nano, amountMinor });
    } else if (rule.kind === "percent" || rule.kind === "tax") {
      const exact = shareOf(rule, bases);
      lines.set(rule, {
        ...parties,
        baseMinor: minorFromRatio(bases[rule.of], rules),
        unroundedNano: exact.top / exact.bottom,
        amountMinor: minorFromRatio(exact, rules),
      });
    }
  }
  addResidual(lines, minorFromNano(intervalsNano, rules.currency, rules.rounding), rules);
  return rules.flows.flatMap((rule) => lines.get(rule) ?? []);
}

/** Gives the residual parties what the other lines leave of the total. */
function addResidual(lines: Map<FlowRule, SettlementLine>, totalMinor: bigint, rules: SettlementRules): void {
  const heirs = rules.flows.filter((rule) => rule.kind === "residual");
  if (heirs.length === 0) return;
  const taken = sum([...lines.values()].filter(({ rule }) => !isBesideTrade(rule)).map((line) => line.amountMinor));
  const shares = splitByLargestRemainder(
    totalMinor - taken,
    heirs.map((rule) => rule.weight),
  );
  for (const [index, rule] of heirs.entries()) {
    const amountMinor = shares[index] ?? 0n;
    const unroundedNano = nanoFromMinor(amountMinor, rules.currency);
    lines.set(rule, { rule, from: rules.payer, to: rule.to, unroundedNano, amountMinor });
  }
}

/** Imbalance and penalties stand beside the trade, so that one who deviates changes nobody else's line. */
export function isBesideTrade(rule: FlowRule): boolean {
  return rule.kind === "imbalance" || rule.kind === "penalty";
}

function minorFromRatio({ top, bottom }: Ratio, rules: SettlementRules): bigint {
  const unit = 10n ** BigInt(NANO_DIGITS - minorDigits(rules.currency));
  return divideRounded(top, bottom * unit, rules.rounding);
}

function sum(amounts: readonly bigint[]): bigint {
  return amounts.reduce((before, amount) => before + amount, 0n);
}

/** @throws SettlementError if the energy is more than whole numbers can count */
function total(energiesWh: readonly number[]): number {
  const energyWh = energiesWh.reduce((before, energy) => before + energy, 0);
  if (!Number.isSafeInteger(energyWh))
    throw new SettlementError(`energy must be a whole number of Wh, got ${energyWh}`);
  return energyWh;
}
