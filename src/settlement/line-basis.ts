import { shortDecimal } from "./decimal.ts";
import { amountText, PRICE_DIGITS } from "./money.ts";
import type { FlowRule } from "./settlement-rules.ts";

/** How a line came about, for a person and for a court: "10 kWh × 6/kWh", "10 % of gross 100.00". */
export function basisText(
  rule: FlowRule,
  { energyWh, baseMinor, currency }: { energyWh?: number; baseMinor?: bigint; currency: string },
): string {
  const kWh = `${kWhText(energyWh ?? 0)} kWh`;
  switch (rule.kind) {
    case "energy":
      return rule.microPerKWh === undefined ? `${kWh} at each interval's price` : `${kWh} × ${rate(rule.microPerKWh)}`;
    case "perKWh":
      return `${kWh} × ${rate(rule.microPerKWh)}`;
    case "congestion":
      return `${kWh} at each interval's locational adder, out of its price`;
    case "percent":
    case "tax": {
      const mode = rule.kind === "tax" && rule.mode === "INCLUSIVE" ? " contained in" : " of";
      return `${shortDecimal(rule.microPercent, 6)} %${mode} ${rule.of} ${amountText(baseMinor ?? 0n, currency)}`;
    }
    case "fixed":
      return "fixed";
    case "residual":
      return rule.weight === 1n ? "what is left" : `what is left, weight ${rule.weight}`;
    case "imbalance":
      return `${kWh} off the cleared energy × ${rate(rule.microPerKWh)}`;
    case "penalty":
      return `${kWh} not delivered × ${rate(rule.microPerKWh)}`;
  }
}

/** `5500` Wh is `"5.5"`. */
export function kWhText(energyWh: number): string {
  return shortDecimal(BigInt(energyWh), 3);
}

/** Epoch ms as RFC 3339 in UTC. */
export function instant(epochMs: number): string {
  return new Date(epochMs).toISOString();
}

function rate(microPerKWh: bigint): string {
  return `${shortDecimal(microPerKWh, PRICE_DIGITS)}/kWh`;
}
