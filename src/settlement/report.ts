import { checkIdentities } from "./identities.ts";
import type { RevenueFlow, SettlementCycle, SettlementReport } from "./report-shape.ts";
import { type SettlementLine, settleTrade } from "./revenue-flows.ts";
import {
  checkRules,
  isSameParty,
  type Party,
  rulesOf,
  SettlementError,
  type SettlementRules,
} from "./settlement-rules.ts";
import type { TradedInterval } from "./traded-interval.ts";

/** Longest id that OCPI takes for a charge detail record, to which a report may be tied. */
const MAX_ID_LENGTH = 39;

/** What a report is called and when it was made. */
export interface ReportHead {
  /** At most 39 characters. */
  readonly reportId: string;
  readonly generatedAtMs: number;
}

/**
 * Settles intervals, one cycle for each order (and one for each resource, for what was traded under none), and for each
 * direction of energy.
 * @throws SettlementError if the rules contradict each other, or two intervals of one resource overlap
 */
export function settlementReport(
  intervals: readonly TradedInterval[],
  rules: SettlementRules,
  head: ReportHead,
): SettlementReport {
  checkRules(rules);
  checkId(head.reportId);
  checkOverlaps(intervals);
  const cycles = groupByOrder(intervals).map((group, index): SettlementCycle => {
    const { orderId, direction = rules.direction } = group[0] ?? {};
    const trade = settleTrade(group, rulesOf(rules, direction));
    return {
      cycleId: `${head.reportId}/${index + 1}`,
      ...(orderId !== undefined && { orderId }),
      startMs: least(group.map((interval) => interval.startMs)),
      endMs: -least(group.map((interval) => -interval.endMs)),
      direction,
      trade,
      amountMinor: paidBy(rules.payer, trade.lines),
    };
  });
  return finished({ ...head, rules, cycles });
}

/**
 * Takes a report back, line by line.
 * @throws SettlementError if the report is a credit itself
 */
export function creditOf(report: SettlementReport, head: ReportHead): SettlementReport {
  if (report.credits !== undefined) throw new SettlementError(`${report.reportId} is a credit; bill anew instead`);
  checkId(head.reportId);
  if (head.reportId === report.reportId) throw new SettlementError(`${head.reportId}: a credit needs an id of its own`);
  const cycles = report.cycles.map(
    (cycle): SettlementCycle => ({
      ...cycle,
      amountMinor: -cycle.amountMinor,
      trade: {
        ...cycle.trade,
        lines: cycle.trade.lines.map((line) => ({
          ...line,
          unroundedNano: -line.unroundedNano,
          amountMinor: -line.amountMinor,
        })),
      },
    }),
  );
  return finished({ ...head, credits: { reportId: report.reportId }, rules: report.rules, cycles });
}

/** Adds what follows from the cycles, and lets it out only if it adds up. */
function finished(begun: Omit<SettlementReport, "flows" | "balances" | "totalMinor">): SettlementReport {
  const { payer } = begun.rules;
  const lines = begun.cycles.flatMap((cycle) => cycle.trade.lines);
  const entries = lines.flatMap(({ rule, from, to, amountMinor }) => [
    { party: to, amountMinor, description: rule.description },
    { party: from, amountMinor: -amountMinor, description: rule.description },
  ]);
  const flows = addedUp(entries.filter((entry) => !isSameParty(entry.party, payer)));
  const balances = addedUp(entries.map((entry) => ({ ...entry, description: "Balance" })));
  const totalMinor = flows.reduce((sum, flow) => sum + flow.amountMinor, 0n);
  const report = { ...begun, flows, balances, totalMinor };
  checkIdentities(report);
  // A copy, so that what the caller passed in stays the caller's to change.
  return deepFreeze(structuredClone(report));
}

/** One entry for each party and description, in the order in which they first came. */
function addedUp(entries: readonly RevenueFlow[]): readonly RevenueFlow[] {
  const sums = new Map<string, RevenueFlow>();
  for (const entry of entries) {
    const key = JSON.stringify([entry.party.era, entry.party.role, entry.description]);
    const before = sums.get(key);
    sums.set(key, before === undefined ? entry : { ...entry, amountMinor: before.amountMinor + entry.amountMinor });
  }
  return [...sums.values()];
}

function paidBy(payer: Party, lines: readonly SettlementLine[]): bigint {
  return lines.reduce((sum, { from, to, amountMinor }) => {
    const out = isSameParty(from, payer) ? amountMinor : 0n;
    const back = isSameParty(to, payer) ? amountMinor : 0n;
    return sum + out - back;
  }, 0n);
}

function groupByOrder(intervals: readonly TradedInterval[]): readonly (readonly TradedInterval[])[] {
  const groups = new Map<string, TradedInterval[]>();
  for (const interval of intervals) {
    const { orderId, era, direction = "" } = interval;
    const key = `${direction} ${orderId === undefined ? `resource ${era}` : `order ${orderId}`}`;
    const group = groups.get(key) ?? [];
    group.push(interval);
    groups.set(key, group);
  }
  return [...groups.values()];
}

function checkOverlaps(intervals: readonly TradedInterval[]): void {
  const sorted = [...intervals].sort((a, b) => a.startMs - b.startMs);
  const ends = new Map<string, number>();
  for (const { era, startMs, endMs, direction = "" } of sorted) {
    const key = `${direction} ${era}`;
    const at = new Date(startMs).toISOString();
    if (endMs <= startMs) throw new SettlementError(`${era}: the interval at ${at} ends before it starts`);
    if (startMs < (ends.get(key) ?? Number.NEGATIVE_INFINITY)) {
      throw new SettlementError(`${era}: two intervals overlap at ${at}; its energy would be paid twice`);
    }
    ends.set(key, endMs);
  }
}

function checkId(reportId: string): void {
  if (reportId.length === 0 || reportId.length > MAX_ID_LENGTH) {
    throw new SettlementError(
      `reportId: must have 1 to ${MAX_ID_LENGTH} characters, "${reportId}" has ${reportId.length}`,
    );
  }
}

/** `Math.min` takes only so many arguments. */
function least(values: readonly number[]): number {
  return values.reduce((before, value) => Math.min(before, value), Number.POSITIVE_INFINITY);
}

function deepFreeze<T>(value: T): T {
  if (typeof value !== "object" || value === null || Object.isFrozen(value)) return value;
  Object.freeze(value);
  for (const item of Object.values(value)) deepFreeze(item);
  return value;
}
