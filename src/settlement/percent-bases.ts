import type { FlowRule, PercentBase } from "./settlement-rules.ts";
import { SettlementError } from "./settlement-rules.ts";

/** An exact number: `top / bottom`, with `bottom` > 0. */
export interface Ratio {
  readonly top: bigint;
  readonly bottom: bigint;
}

/** What percentages are taken of, in 10^-9 currency units, exact. */
export type PercentBases = Readonly<Record<PercentBase, Ratio>>;

/** 100 percent in millionths of a percent. */
const WHOLE = 100_000_000n;

type SharedRule = Extract<FlowRule, { readonly kind: "percent" | "tax" }>;

/** What a percentage comes to, in 10^-9 currency units, exact. */
export function shareOf(rule: SharedRule, bases: PercentBases): Ratio {
  return times(bases[rule.of], rateOf(rule));
}

/**
 * The bases where all is added up: charges first, then what is in percent, including percentages of the whole.
 * @param energyNano sum of the energy lines
 * @param chargesNano sum of all lines that are not in percent, energy among them
 * @throws SettlementError if the percentages of the whole leave nothing of it
 */
export function basesFromCharges(energyNano: bigint, chargesNano: bigint, rules: readonly FlowRule[]): PercentBases {
  const energy = ratio(energyNano);
  const fees = ratesByBase(rules, "percent");
  const taxes = ratesByBase(rules, "tax");
  // net = charges + fees, gross = net + taxes; both may stand on the right as well, so this is two linear equations.
  const charges = plus(ratio(chargesNano), times(energy, fees.energy));
  const energyTax = times(energy, taxes.energy);
  const one = ratio(1n);
  const netLeft = minus(one, fees.net);
  const grossLeft = minus(one, taxes.gross);
  const taxedNet = plus(one, taxes.net);
  const determinant = minus(times(netLeft, grossLeft), times(fees.gross, taxedNet));
  if (netLeft.top <= 0n || grossLeft.top <= 0n || determinant.top <= 0n) {
    throw new SettlementError("flows: the percentages of net and gross take 100 % or more of it, so nothing adds up");
  }
  return {
    energy,
    net: over(plus(times(charges, grossLeft), times(fees.gross, energyTax)), determinant),
    gross: over(plus(times(netLeft, energyTax), times(taxedNet, charges)), determinant),
  };
}

/** The bases where the total is given and contains everything. */
export function basesFromTotal(energyNano: bigint, totalNano: bigint, rules: readonly FlowRule[]): PercentBases {
  const energy = ratio(energyNano);
  const gross = ratio(totalNano);
  const taxes = ratesByBase(rules, "tax");
  const untaxed = minus(minus(gross, times(gross, taxes.gross)), times(energy, taxes.energy));
  return { energy, gross, net: over(untaxed, plus(ratio(1n), taxes.net)) };
}

function rateOf(rule: SharedRule): Ratio {
  const isInclusive = rule.kind === "tax" && rule.mode === "INCLUSIVE";
  return { top: rule.microPercent, bottom: isInclusive ? WHOLE + rule.microPercent : WHOLE };
}

/** The rates of all rules of a kind, added up for each base. */
function ratesByBase(rules: readonly FlowRule[], kind: SharedRule["kind"]): Readonly<Record<PercentBase, Ratio>> {
  const sumOf = (base: PercentBase) =>
    rules
      .filter((rule): rule is FlowRule & SharedRule => rule.kind === kind && rule.of === base)
      .reduce((sum, rule) => plus(sum, rateOf(rule)), ratio(0n));
  return { energy: sumOf("energy"), net: sumOf("net"), gross: sumOf("gross") };
}

function ratio(whole: bigint): Ratio {
  return { top: whole, bottom: 1n };
}

function plus(a: Ratio, b: Ratio): Ratio {
  return { top: a.top * b.bottom + b.top * a.bottom, bottom: a.bottom * b.bottom };
}

function minus(a: Ratio, b: Ratio): Ratio {
  return plus(a, { top: -b.top, bottom: b.bottom });
}

function times(a: Ratio, b: Ratio): Ratio {
  return { top: a.top * b.top, bottom: a.bottom * b.bottom };
}

/** @param b above 0 */
function over(a: Ratio, b: Ratio): Ratio {
  return { top: a.top * b.bottom, bottom: a.bottom * b.top };
}
