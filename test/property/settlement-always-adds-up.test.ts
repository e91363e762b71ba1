import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decimalFromScaled, scaledFromDecimal } from "../../src/settlement/decimal.ts";
import { IntervalMeter } from "../../src/settlement/interval-energy.ts";
import { splitByLargestRemainder } from "../../src/settlement/largest-remainder.ts";
import { divideRounded, minorFromNano, nanoFromMinor, type Rounding } from "../../src/settlement/money.ts";
import { creditOf, settlementReport } from "../../src/settlement/report.ts";
import { settlementJson } from "../../src/settlement/report-json.ts";
import type { FlowRule, SettlementRules } from "../../src/settlement/settlement-rules.ts";
import { type Direction, type Party, SettlementError } from "../../src/settlement/settlement-rules.ts";
import { clearedEnergyWh, type TradedInterval } from "../../src/settlement/traded-interval.ts";

const minor = fc.bigInt({ min: -(10n ** 15n), max: 10n ** 15n });
const abs = (value: bigint) => (value < 0n ? -value : value);
const sum = (values: readonly bigint[]) => values.reduce((before, value) => before + value, 0n);

describe("a split by largest remainder", () => {
  const weights = fc
    .array(fc.bigInt({ min: 0n, max: 10n ** 9n }), { minLength: 1, maxLength: 12 })
    .filter((list) => list.some((weight) => weight > 0n));

  test("adds up, stays within one unit of each quota, and gives nothing to a weight of zero", () => {
    fc.assert(
      fc.property(minor, weights, (total, list) => {
        const shares = splitByLargestRemainder(total, list);
        const whole = sum(list);
        expect(sum(shares)).toBe(total);
        for (const [index, share] of shares.entries()) {
          const weight = list[index] ?? 0n;
          expect(abs(share * whole - total * weight) < whole).toBe(true);
          if (weight === 0n) expect(share).toBe(0n);
        }
      }),
      { numRuns: 5000 },
    );
  });

  test("of the opposite is the opposite", () => {
    fc.assert(
      fc.property(minor, weights, (total, list) => {
        const opposite = splitByLargestRemainder(-total, list).map((share) => -share);
        expect(opposite).toEqual(splitByLargestRemainder(total, list));
      }),
    );
  });
});

test("a rounded amount is never more than half a unit off, and a half goes where the rule says", () => {
  fc.assert(
    fc.property(minor, fc.bigInt({ min: 1n, max: 10n ** 9n }), fc.boolean(), (top, bottom, isUp) => {
      const rounded = divideRounded(top, bottom, isUp ? "HALF_UP" : "HALF_EVEN");
      const twiceOff = abs(rounded * bottom - top) * 2n;
      expect(twiceOff <= bottom).toBe(true);
      if (twiceOff === bottom) expect(isUp ? abs(rounded * bottom) > abs(top) : rounded % 2n === 0n).toBe(true);
    }),
    { numRuns: 2000 },
  );
});

test("a decimal text is read and written without a loss", () => {
  fc.assert(
    fc.property(minor, fc.integer({ min: 0, max: 9 }), (value, scale) => {
      expect(scaledFromDecimal(decimalFromScaled(value, scale), scale, "x")).toBe(value);
    }),
  );
});

test("an amount in minor units survives the way through unrounded units", () => {
  fc.assert(
    fc.property(minor, fc.constantFrom("JPY", "INR", "KWD", "CLF"), (amount, currency) => {
      expect(minorFromNano(nanoFromMinor(amount, currency), currency, "HALF_EVEN")).toBe(amount);
    }),
  );
});

describe("a report", () => {
  const party = fc.constantFrom("a", "b", "c", "d").map((era) => ({ era, role: "SELLER" }));
  const price = fc.bigInt({ min: -2_000_000n, max: 20_000_000n });
  const share = fc.bigInt({ min: 0n, max: 30_000_000n });
  const base = fc.constantFrom("energy" as const, "net" as const, "gross" as const);
  const flow = fc.oneof(
    fc.record({ kind: fc.constant("energy" as const) }),
    fc.record({ kind: fc.constant("energy" as const), microPerKWh: price }),
    fc.record({ kind: fc.constant("perKWh" as const), microPerKWh: price }),
    fc.record({ kind: fc.constant("congestion" as const) }),
    fc.record({ kind: fc.constant("percent" as const), microPercent: share, of: base }),
    fc.record({
      kind: fc.constant("tax" as const),
      microPercent: share,
      of: base,
      mode: fc.constantFrom("INCLUSIVE" as const, "EXCLUSIVE" as const),
    }),
    fc.record({ kind: fc.constant("fixed" as const), amountMinor: fc.bigInt({ min: -1000n, max: 1000n }) }),
    fc.record({ kind: fc.constant("residual" as const), weight: fc.bigInt({ min: 1n, max: 99n }) }),
    fc.record({
      kind: fc.constant("imbalance" as const),
      microPerKWh: price,
      from: fc.constant({ era: "e", role: "SELLER" }),
    }),
    fc.record({
      kind: fc.constant("penalty" as const),
      microPerKWh: price,
      from: fc.constant({ era: "e", role: "SELLER" }),
    }),
  );
  const flowsTo = (payees: fc.Arbitrary<Party>) =>
    fc
      .array(fc.tuple(flow, payees), { minLength: 1, maxLength: 8 })
      .map((list) =>
        list.map(([rule, to], index): FlowRule => ({ ...rule, to, name: `line${index}`, description: "x" })),
      );
  const payer = { era: "payer", role: "BUYER" };
  /** Who both takes and gives is paid by another one for what it gives. */
  const anyReverse = fc.option(
    fc.record({
      payer: fc.constant({ era: "a", role: "BUYER" }),
      flows: flowsTo(fc.oneof(party, fc.constant(payer))),
    }),
    { nil: undefined },
  );
  const anyRules: fc.Arbitrary<SettlementRules> = fc.record({
    currency: fc.constantFrom("INR", "JPY", "KWD"),
    rounding: fc.constantFrom<Rounding>("HALF_EVEN", "HALF_UP"),
    direction: fc.constantFrom("IMPORT" as const, "EXPORT" as const),
    quantity: fc.constant("CLEARED" as const),
    payer: fc.constant(payer),
    flows: flowsTo(party),
  });
  const anyIntervals: fc.Arbitrary<TradedInterval[]> = fc
    .array(
      fc.record({
        meteredWh: fc.nat(2_000_000),
        clearedWh: fc.nat(2_000_000),
        microPerKWh: price,
        adderMicroPerKWh: fc.option(price, { nil: undefined }),
        orderId: fc.constantFrom("o-1", "o-2"),
        quality: fc.constantFrom("MEASURED" as const, "ESTIMATED" as const, "GAP" as const),
      }),
      { maxLength: 20 },
    )
    .map((list) =>
      list.map(({ adderMicroPerKWh, ...one }, index) => ({
        ...one,
        ...(adderMicroPerKWh !== undefined && { adderMicroPerKWh }),
        era: "e",
        startMs: index * 900_000,
        endMs: (index + 1) * 900_000,
      })),
    );

  test("adds up to the last minor unit whatever the rules and the energy are, and so does its credit", () => {
    let settled = 0;
    let bothWays = 0;
    fc.assert(
      fc.property(anyIntervals, anyRules, anyReverse, (list, rules, reverse) => {
        const back: Direction = rules.direction === "IMPORT" ? "EXPORT" : "IMPORT";
        const intervals = list.map((one, index) => (reverse && index % 2 === 1 ? { ...one, direction: back } : one));
        let report: ReturnType<typeof settlementReport>;
        try {
          report = settlementReport(
            intervals,
            { ...rules, ...(reverse && { reverse }) },
            { reportId: "r", generatedAtMs: 0 },
          );
        } catch (error) {
          // Rules may leave nothing of the whole; what they never may do is not add up.
          if (error instanceof SettlementError && !error.message.includes("add up:")) return;
          throw error;
        }
        settled += 1;
        // Summed here by another way than the report sums itself.
        const lines = report.cycles.flatMap((cycle) => cycle.trade.lines);
        if (reverse && report.cycles.some(({ direction }) => direction === back)) bothWays += 1;
        const toPayer = sum(lines.filter((line) => line.to.era === "payer").map((line) => line.amountMinor));
        const byPayer = sum(lines.filter((line) => line.from.era === "payer").map((line) => line.amountMinor));
        expect(byPayer - toPayer).toBe(report.totalMinor);
        expect(sum(report.flows.map((one) => one.amountMinor))).toBe(report.totalMinor);
        expect(sum(report.balances.map((one) => one.amountMinor))).toBe(0n);
        for (const { trade } of report.cycles) {
          expect(sum(trade.intervals.map((one) => one.amountNano))).toBe(trade.intervalsNano);
          expect(trade.intervals.length + trade.unsettled.length).toBeGreaterThan(0);
        }
        const credit = creditOf(report, { reportId: "c", generatedAtMs: 1 });
        expect(credit.totalMinor).toBe(-report.totalMinor);
        // The same in whole units after it went through JSON.
        const json = JSON.parse(JSON.stringify(settlementJson(report, () => "hash")));
        const scale = { INR: 100, JPY: 1, KWD: 1000 }[rules.currency] ?? 1;
        const flows: { amount: number }[] = json.settlement.revenueFlows;
        const inUnits = flows.reduce((before, { amount }) => before + Math.round(amount * scale), 0);
        expect(inUnits).toBe(Math.round(json.settlement.settlementReport.totalAmount * scale));
      }),
      { numRuns: 1500 },
    );
    expect(settled).toBeGreaterThan(200);
    expect(bothWays).toBeGreaterThan(50);
  });
});

test("a setpoint asks for energy in exactly one direction, and turning it around turns the direction", () => {
  fc.assert(
    fc.property(fc.integer({ min: -1_000_000, max: 1_000_000 }), fc.nat(86_400_000), (powerW, ms) => {
      expect(clearedEnergyWh(powerW, ms, "EXPORT")).toBe(clearedEnergyWh(-powerW, ms, "IMPORT"));
      expect(Math.min(clearedEnergyWh(powerW, ms, "EXPORT"), clearedEnergyWh(powerW, ms, "IMPORT"))).toBe(0);
    }),
  );
});

describe("metered intervals", () => {
  const step = fc.record({
    afterMs: fc.integer({ min: 1000, max: 1_500_000 }),
    importWh: fc.nat(5000),
    exportWh: fc.nat(5000),
  });

  test("lie end to end, and add up to the difference of the registers", () => {
    fc.assert(
      fc.property(
        fc.array(step, { minLength: 2, maxLength: 60 }),
        fc.integer({ min: 0, max: 900_000 }),
        (steps, limit) => {
          const meter = new IntervalMeter("e", {
            maxInterpolationMs: limit,
            edgesBetween: (_era, fromMs, untilMs) => {
              const edges: number[] = [];
              for (let edge = (Math.floor(fromMs / 900_000) + 1) * 900_000; edge <= untilMs; edge += 900_000)
                edges.push(edge);
              return edges;
            },
          });
          let at = { atMs: 0, importWh: 0, exportWh: 0 };
          const intervals = steps.flatMap(({ afterMs, importWh, exportWh }, index) => {
            if (index > 0) {
              at = { atMs: at.atMs + afterMs, importWh: at.importWh + importWh, exportWh: at.exportWh + exportWh };
            }
            return meter.add(at);
          });
          intervals.push(...meter.finish());
          const energy = (name: "importWh" | "exportWh") =>
            intervals.reduce((before, one) => before + (one[name] ?? 0), 0);
          expect([energy("importWh"), energy("exportWh")]).toEqual([at.importWh, at.exportWh]);
          let endMs = 0;
          for (const one of intervals) {
            expect(one.startMs).toBe(endMs);
            expect(one.importWh).toBeGreaterThanOrEqual(0);
            // Only a gap may reach over an edge.
            if (one.quality !== "GAP") {
              expect(Math.floor(one.startMs / 900_000)).toBe(Math.floor((one.endMs - 1) / 900_000));
            }
            endMs = one.endMs;
          }
          expect(endMs).toBe(at.atMs);
        },
      ),
      { numRuns: 1000 },
    );
  });
});
