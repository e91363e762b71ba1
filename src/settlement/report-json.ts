import { canonicalJson, type JsonValue } from "./canonical-json.ts";
import { decimalFromScaled, shortDecimal } from "./decimal.ts";
import { basisText, instant } from "./line-basis.ts";
import { minorDigits, NANO_DIGITS, PRICE_DIGITS } from "./money.ts";
import type { RevenueFlow, SettlementCycle, SettlementReport } from "./report-shape.ts";
import type { SettledInterval, SettlementLine, UnsettledInterval } from "./revenue-flows.ts";
import type { SettlementRules } from "./settlement-rules.ts";
import { SettlementError } from "./settlement-rules.ts";

/** Hash of a text that names its kind, for example `sha256:…`. */
export type ContentHash = (text: string) => string;

/** Amounts above this many digits would lose some as a JSON number. */
const MAX_JSON_DIGITS = 15;

type JsonObject = Readonly<Record<string, JsonValue | undefined>>;

/**
 * The report in the seed's form: `{settlement: {settlementCycles, revenueFlows, settlementReport}}`. Amounts are JSON
 * numbers that were made from whole minor units; what is unrounded is text. `settlementReport.contentHash` is over the
 * canonical JSON (RFC 8785) of all the rest.
 * @throws SettlementError if an amount has more digits than a JSON number can hold
 */
export function settlementJson(report: SettlementReport, hash: ContentHash): JsonObject {
  return withHash(contentOf(report), contentHashOf(report, hash));
}

/** The hash by which a report is known, whatever form it is shown in. */
export function contentHashOf(report: SettlementReport, hash: ContentHash): string {
  return hash(canonicalJson(contentOf(report)));
}

/** Whether a report, read back from JSON, is still what was hashed. */
export function hasItsHash(document: unknown, hash: ContentHash): boolean {
  const { settlement } = (document ?? {}) as { settlement?: { settlementReport?: JsonObject } };
  const { contentHash, ...rest } = settlement?.settlementReport ?? {};
  if (typeof contentHash !== "string") return false;
  const content = { ...(document as JsonObject), settlement: { ...settlement, settlementReport: rest } };
  return hash(canonicalJson(content as JsonValue)) === contentHash;
}

/**
 * The net of each party as the Digital Energy Grid's devkits write it: what is received is positive, what is paid negative,
 * and the sum is 0.
 */
export function devkitRevenueFlows({ balances, rules }: SettlementReport): JsonObject {
  return {
    "@type": "RevenueFlow",
    revenueFlows: balances.map(({ party, amountMinor }) => ({
      role: party.role.toLowerCase(),
      value: jsonAmount(amountMinor, rules.currency),
      currency: rules.currency,
      description: `Balance of ${party.era}`,
    })),
  };
}

function contentOf(
  report: SettlementReport,
): JsonObject & { settlement: JsonObject & { settlementReport: JsonObject } } {
  const { rules, cycles } = report;
  const revenueFlows = report.flows.map((flow) => flowJson(flow, rules.currency));
  return {
    settlement: {
      settlementCycles: cycles.map((cycle) => cycleJson(cycle, rules)),
      revenueFlows,
      settlementReport: {
        reportId: report.reportId,
        totalAmount: jsonAmount(report.totalMinor, rules.currency),
        currency: rules.currency,
        generatedAt: instant(report.generatedAtMs),
        ...(report.credits && { creditReferenceId: report.credits.reportId }),
        payer: { ...rules.payer },
        rounding: {
          mode: rules.rounding,
          minorDigits: minorDigits(rules.currency),
          once: "per line",
        },
        direction: rules.direction,
        ...(rules.reverse && { reversePayer: { ...rules.reverse.payer } }),
        quantity: rules.quantity,
        meterReadings: cycles.flatMap((cycle) => cycle.trade.intervals.map((one) => intervalJson(one, cycle))),
        unsettled: cycles.flatMap((cycle) => cycle.trade.unsettled.map(unsettledJson)),
        revenueFlows,
      },
    },
  };
}

function withHash(content: ReturnType<typeof contentOf>, contentHash: string): JsonObject {
  const { settlement } = content;
  return { settlement: { ...settlement, settlementReport: { ...settlement.settlementReport, contentHash } } };
}

function flowJson({ party, amountMinor, description }: RevenueFlow, currency: string): JsonObject {
  return { party: { ...party }, amount: jsonAmount(amountMinor, currency), currency, description };
}

function cycleJson(cycle: SettlementCycle, rules: SettlementRules): JsonObject {
  const { lines, unsettled } = cycle.trade;
  return {
    cycleId: cycle.cycleId,
    ...(cycle.orderId !== undefined && { orderId: cycle.orderId }),
    ...(rules.reverse && { direction: cycle.direction }),
    startTime: instant(cycle.startMs),
    endTime: instant(cycle.endMs),
    status: unsettled.length === 0 ? "SETTLED" : lines.length === 0 ? "PENDING" : "PARTIAL",
    amount: jsonAmount(cycle.amountMinor, rules.currency),
    currency: rules.currency,
    breakdown: Object.fromEntries(lines.map((line) => [line.rule.name, jsonAmount(line.amountMinor, rules.currency)])),
    lines: lines.map((line) => lineJson(line, rules.currency)),
  };
}

function lineJson(
  { rule, from, to, amountMinor, unroundedNano, ...line }: SettlementLine,
  currency: string,
): JsonObject {
  return {
    name: rule.name,
    kind: rule.kind,
    basis: basisText(rule, { ...line, currency }),
    from: { ...from },
    to: { ...to },
    unrounded: shortDecimal(unroundedNano, NANO_DIGITS),
    amount: jsonAmount(amountMinor, currency),
  };
}

function intervalJson(
  { interval, settledWh, microPerKWh, amountNano }: SettledInterval,
  cycle: SettlementCycle,
): JsonObject {
  return {
    cycleId: cycle.cycleId,
    era: interval.era,
    startTime: instant(interval.startMs),
    endTime: instant(interval.endMs),
    quality: interval.quality,
    meteredWh: interval.meteredWh,
    ...(interval.clearedWh !== undefined && { clearedWh: interval.clearedWh }),
    settledWh,
    pricePerKWh: shortDecimal(microPerKWh, PRICE_DIGITS),
    ...(interval.adderMicroPerKWh !== undefined && {
      adderPerKWh: shortDecimal(interval.adderMicroPerKWh, PRICE_DIGITS),
    }),
    unrounded: shortDecimal(amountNano, NANO_DIGITS),
  };
}

function unsettledJson({ interval, reason }: UnsettledInterval): JsonObject {
  return {
    era: interval.era,
    startTime: instant(interval.startMs),
    endTime: instant(interval.endMs),
    ...(interval.meteredWh !== undefined && { meteredWh: interval.meteredWh }),
    reason,
  };
}

/** The double nearest to a decimal of at most 15 digits prints as that decimal again. */
function jsonAmount(minor: bigint, currency: string): number {
  const text = decimalFromScaled(minor, minorDigits(currency));
  if (minor.toString().replace("-", "").length > MAX_JSON_DIGITS) {
    throw new SettlementError(`${text} ${currency} has more digits than a JSON number can hold`);
  }
  // `-0` is no amount.
  return minor === 0n ? 0 : Number(text);
}
