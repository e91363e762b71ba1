import type { Era } from "../model/resource.ts";
import { minorDigits, type Rounding } from "./money.ts";

/** Somebody who pays or is paid. */
export interface Party {
  readonly era: Era;
  /** As the market calls it: SELLER, BUYER, GRID_OPERATOR, AGGREGATOR, GOVERNMENT. */
  readonly role: string;
}

/**
 * What a percentage is taken of. `energy`: the energy lines. `net`: all that the payer pays for the trade without taxes.
 * `gross`: the same with taxes. Imbalance and penalties belong to none of them. A percentage of a base that contains its own
 * line is solved exactly: a fee and a tax of 10 % of the gross each, on charges of 80, make a gross of 100.
 */
export type PercentBase = "energy" | "net" | "gross";

/** One line of a settlement before there are numbers. */
export type FlowRule = {
  /** Key in the breakdown of a cycle, for example `wheelingCharges`; each only once. */
  readonly name: string;
  /** For a person, on the bill. */
  readonly description: string;
  /** Who is paid. */
  readonly to: Party;
} & (
  | EnergyRule
  | PerKWhRule
  | CongestionRule
  | PercentRule
  | TaxRule
  | FixedRule
  | ResidualRule
  | ImbalanceRule
  | PenaltyRule
);

/** The energy settled × a price. */
interface EnergyRule {
  readonly kind: "energy";
  /** Millionths of a currency unit per kWh; absent: each interval's own price, less its adder where a congestion line has that. */
  readonly microPerKWh?: bigint;
}

/** A rate for each metered kWh, for example wheeling: a wire is used by what flows and not by what was cleared. */
interface PerKWhRule {
  readonly kind: "perKWh";
  readonly microPerKWh: bigint;
}

/**
 * Congestion rent: the energy settled × each interval's locational adder; an interval without one has none to pay. The
 * interval's price contains the adder, so that an energy line at that price is paid what is left of it.
 */
interface CongestionRule {
  readonly kind: "congestion";
}

/** A fee in percent. */
interface PercentRule {
  readonly kind: "percent";
  /** Millionths of a percent: 10 % is 10,000,000. */
  readonly microPercent: bigint;
  readonly of: PercentBase;
}

/**
 * A tax in percent of a named base. `INCLUSIVE`: the base contains the tax, so that 10 % in 110 is 10. `EXCLUSIVE`: the plain
 * share of the base, so that 10 % of 100 is 10.
 */
interface TaxRule {
  readonly kind: "tax";
  /** Millionths of a percent. */
  readonly microPercent: bigint;
  readonly of: PercentBase;
  readonly mode: "INCLUSIVE" | "EXCLUSIVE";
}

/** An amount for each cycle. */
interface FixedRule {
  readonly kind: "fixed";
  readonly amountMinor: bigint;
}

/**
 * What the others leave. With one of these, the price of an interval is all that the payer pays, and the total is shared;
 * without, the total is the sum of the lines. Several share what is left by weight.
 */
interface ResidualRule {
  readonly kind: "residual";
  /** > 0. */
  readonly weight: bigint;
}

/** Metered − cleared energy at a price of its own, between the party that deviated and who balances it. */
interface ImbalanceRule {
  readonly kind: "imbalance";
  /** Who answers for the deviation. Pays for drawing more or giving less than cleared, and is paid for the opposite. */
  readonly from: Party;
  readonly microPerKWh: bigint;
}

/** A rate for each kWh that was cleared and not delivered, interval by interval; what another delivers too much does not help. */
interface PenaltyRule {
  readonly kind: "penalty";
  readonly from: Party;
  readonly microPerKWh: bigint;
}

/** Which register of a metered resource: what it took in or what it gave out. */
export type Direction = "IMPORT" | "EXPORT";

/** Who pays for what flows the other way, and to whom. */
export interface ReverseRules {
  readonly payer: Party;
  readonly flows: readonly FlowRule[];
}

/** How a trade is settled. */
export interface SettlementRules {
  /** ISO 4217. */
  readonly currency: string;
  readonly rounding: Rounding;
  /** Which register of the metered resource the trade is about. */
  readonly direction: Direction;
  /** What the trade's price is paid for: what the meter shows, or what was cleared, with the rest as imbalance. */
  readonly quantity: "METERED" | "CLEARED";
  readonly payer: Party;
  /** In the order in which they stand in the report. */
  readonly flows: readonly FlowRule[];
  /**
   * For one who both takes and gives, such as a house with a battery: what the other register counts, in the same report.
   * The report's total is what `payer` pays for the one less what it gets for the other.
   */
  readonly reverse?: ReverseRules;
}

/** The rules of one direction. @throws SettlementError if there are none */
export function rulesOf(rules: SettlementRules, direction: Direction): SettlementRules {
  if (direction === rules.direction) return rules;
  const { reverse, ...rest } = rules;
  if (reverse === undefined) throw new SettlementError(`there are no rules for ${direction}`);
  return { ...rest, ...reverse, direction };
}

/** Rules or data that can't be settled; the message names the rule and the fault. */
export class SettlementError extends Error {
  override readonly name = "SettlementError";
}

/** @throws SettlementError naming the rule that makes no sense together with the others */
export function checkRules(rules: SettlementRules): void {
  minorDigits(rules.currency);
  if (rules.flows.length === 0) throw new SettlementError("flows: at least one rule is needed");
  const names = new Set<string>();
  for (const rule of rules.flows) {
    const fault = names.has(rule.name) ? "the name is given twice" : ruleFault(rule, rules);
    if (fault !== undefined) throw new SettlementError(`flows "${rule.name}": ${fault}`);
    names.add(rule.name);
  }
  checkCongestion(rules);
  if (rules.reverse !== undefined) checkRules(rulesOf(rules, rules.direction === "IMPORT" ? "EXPORT" : "IMPORT"));
  const ownPriced = rules.flows.filter((rule) => rule.kind === "energy" && rule.microPerKWh === undefined);
  if (ownPriced.length > (hasResidual(rules) ? 0 : 1)) {
    throw new SettlementError(
      hasResidual(rules)
        ? `flows "${ownPriced[0]?.name}": with a residual party the interval's price is the total, so an energy line needs its own pricePerKWh`
        : `flows "${ownPriced[1]?.name}": a second line at the interval's price would charge the same energy twice; give it its own pricePerKWh`,
    );
  }
}

function checkCongestion({ flows }: SettlementRules): void {
  const [, second] = flows.filter(({ kind }) => kind === "congestion");
  if (second === undefined) return;
  throw new SettlementError(`flows "${second.name}": a second congestion line would charge the same rent twice`);
}

export function hasResidual(rules: SettlementRules): boolean {
  return rules.flows.some((rule) => rule.kind === "residual");
}

/** Whether an interval needs a price of its own to be settled. */
export function needsIntervalPrice(rules: SettlementRules): boolean {
  return hasResidual(rules) || rules.flows.some((rule) => rule.kind === "energy" && rule.microPerKWh === undefined);
}

export function isSameParty(a: Party, b: Party): boolean {
  return a.era === b.era && a.role === b.role;
}

function ruleFault(rule: FlowRule, rules: SettlementRules): string | undefined {
  const from = "from" in rule ? rule.from : rules.payer;
  if (isSameParty(rule.to, from)) return `${rule.to.era} (${rule.to.role}) would pay itself`;
  if (rule.kind === "residual" && rule.weight <= 0n) return "the weight must be above 0";
  if (rule.kind === "imbalance" && rules.quantity !== "CLEARED") {
    return "quantity must be CLEARED: where the metered energy is paid, the deviation is paid already";
  }
  if ((rule.kind === "percent" || rule.kind === "tax") && rule.microPercent < 0n) return "the percentage is negative";
  return undefined;
}
