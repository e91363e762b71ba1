import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { canonicalJson } from "../../src/settlement/canonical-json.ts";
import { creditOf, settlementReport } from "../../src/settlement/report.ts";
import { settlementCsv } from "../../src/settlement/report-csv.ts";
import { contentHashOf, hasItsHash, settlementJson } from "../../src/settlement/report-json.ts";
import { settlementPage } from "../../src/settlement/report-page.ts";
import type { SettlementRules } from "../../src/settlement/settlement-rules.ts";
import type { TradedInterval } from "../../src/settlement/traded-interval.ts";

const hash = (text: string) => `sha256:${createHash("sha256").update(text).digest("hex")}`;
const START = Date.UTC(2024, 9, 4, 10);
const MILLION = 1_000_000n;

const rules: SettlementRules = {
  currency: "INR",
  rounding: "HALF_EVEN",
  direction: "EXPORT",
  quantity: "METERED",
  payer: { era: "consumer-001", role: "BUYER" },
  flows: [
    {
      name: "energyCost",
      description: "Energy sale",
      kind: "energy",
      to: { era: "prosumer-solar-001", role: "SELLER" },
    },
    {
      name: "wheelingCharges",
      description: "Wheeling charges",
      kind: "perKWh",
      microPerKWh: 2n * MILLION,
      to: { era: "grid-operator-utility", role: "GRID_OPERATOR" },
    },
    {
      name: "platformFee",
      description: "Platform fee",
      kind: "percent",
      microPercent: 10n * MILLION,
      of: "gross",
      to: { era: "aggregator-platform", role: "AGGREGATOR" },
    },
    {
      name: "tax",
      description: "Tax (10%)",
      kind: "tax",
      microPercent: 10n * MILLION,
      of: "gross",
      mode: "EXCLUSIVE",
      to: { era: "government-tax", role: "GOVERNMENT" },
    },
  ],
};

const intervals: readonly TradedInterval[] = [
  {
    era: "prosumer-solar-001",
    orderId: "order-energy-001",
    startMs: START,
    endMs: START + 3_600_000,
    quality: "MEASURED",
    meteredWh: 10_000,
    microPerKWh: 6n * MILLION,
  },
];

const reportOf = (trades: readonly TradedInterval[] = intervals, by: SettlementRules = rules) =>
  settlementReport(trades, by, {
    reportId: "settle-report-2024-10-04-001",
    generatedAtMs: Date.UTC(2024, 9, 4, 18, 30),
  });

describe("a report as JSON", () => {
  test("has the seed's form and the seed's numbers", () => {
    const json = settlementJson(reportOf(), hash);
    const flow = (era: string, role: string, amount: number, description: string) => ({
      party: { era, role },
      amount,
      currency: "INR",
      description,
    });
    const revenueFlows = [
      flow("prosumer-solar-001", "SELLER", 60, "Energy sale"),
      flow("grid-operator-utility", "GRID_OPERATOR", 20, "Wheeling charges"),
      flow("aggregator-platform", "AGGREGATOR", 10, "Platform fee"),
      flow("government-tax", "GOVERNMENT", 10, "Tax (10%)"),
    ];
    expect(json).toMatchObject({
      settlement: {
        settlementCycles: [
          {
            cycleId: "settle-report-2024-10-04-001/1",
            orderId: "order-energy-001",
            status: "SETTLED",
            amount: 100,
            breakdown: { energyCost: 60, wheelingCharges: 20, platformFee: 10, tax: 10 },
          },
        ],
        revenueFlows,
        settlementReport: {
          reportId: "settle-report-2024-10-04-001",
          totalAmount: 100,
          currency: "INR",
          generatedAt: "2024-10-04T18:30:00.000Z",
          rounding: { mode: "HALF_EVEN", minorDigits: 2, once: "per line" },
          meterReadings: [{ era: "prosumer-solar-001", meteredWh: 10_000, quality: "MEASURED", pricePerKWh: "6" }],
          revenueFlows,
        },
      },
    });
  });

  test("names the base of each percentage", () => {
    const { settlement } = settlementJson(reportOf(), hash) as {
      settlement: { settlementCycles: { lines: { basis: string }[] }[] };
    };
    expect(settlement.settlementCycles[0]?.lines.map((line) => line.basis)).toEqual([
      "10 kWh at each interval's price",
      "10 kWh × 2/kWh",
      "10 % of gross 100.00",
      "10 % of gross 100.00",
    ]);
  });

  test("keeps its hash over the wire, and loses it with any change", () => {
    const wire = JSON.stringify(settlementJson(reportOf(), hash));
    expect(hasItsHash(JSON.parse(wire), hash)).toBe(true);
    expect(wire).toContain(contentHashOf(reportOf(), hash));
    for (const [from, to] of [
      [`"amount":60`, `"amount":61`],
      ["prosumer-solar-001", "prosumer-solar-002"],
      [`"status":"SETTLED"`, `"status":"PAID"`],
    ] as const) {
      const changed = wire.replace(from, to);
      expect(changed).not.toBe(wire);
      expect(hasItsHash(JSON.parse(changed), hash)).toBe(false);
    }
    expect(hasItsHash({}, hash)).toBe(false);
  });

  test("says that a cycle is settled only in part where intervals have no price", () => {
    const gap: TradedInterval = {
      era: "prosumer-solar-001",
      orderId: "order-energy-001",
      startMs: START + 3_600_000,
      endMs: START + 7_200_000,
      quality: "GAP",
      reason: "no reading for 900 s",
    };
    expect(settlementJson(reportOf([...intervals, gap]), hash)).toMatchObject({
      settlement: {
        settlementCycles: [{ status: "PARTIAL", amount: 100 }],
        settlementReport: { unsettled: [{ reason: "gap: no reading for 900 s" }] },
      },
    });
  });

  test("refuses an amount that a JSON number would change", () => {
    const huge = { ...intervals[0], microPerKWh: 10n ** 20n } as TradedInterval;
    expect(() => settlementJson(reportOf([huge]), hash)).toThrow(/more digits than a JSON number/);
  });
});

test("canonical JSON is one text for one content, as RFC 8785 writes it", () => {
  expect(canonicalJson({ b: [1, 0.41, 1e30], a: { z: null, y: "€\n" }, "\u20ac": true, c: undefined })).toBe(
    '{"a":{"y":"€\\n","z":null},"b":[1,0.41,1e+30],"€":true}',
  );
  expect(() => canonicalJson({ a: Number.NaN })).toThrow(/JSON/);
});

describe("a report", () => {
  test("can't be changed, and what went into it still can", () => {
    const trades = intervals.map((interval) => ({ ...interval }));
    const report = reportOf(trades);
    expect(() => Object.assign(report.flows[0] ?? {}, { amountMinor: 0n })).toThrow(TypeError);
    expect(() => Object.assign(trades[0] ?? {}, { meteredWh: 1 })).not.toThrow();
  });

  test("is corrected by a credit that takes back each line and names it", () => {
    const report = reportOf();
    const credit = creditOf(report, { reportId: "credit-1", generatedAtMs: START });
    expect(credit.totalMinor).toBe(-10_000n);
    expect(settlementJson(credit, hash)).toMatchObject({
      settlement: {
        revenueFlows: [{ amount: -60 }, { amount: -20 }, { amount: -10 }, { amount: -10 }],
        settlementReport: { reportId: "credit-1", creditReferenceId: report.reportId, totalAmount: -100 },
      },
    });
    expect(() => creditOf(credit, { reportId: "credit-2", generatedAtMs: START })).toThrow(/is a credit/);
    expect(() => creditOf(report, { reportId: report.reportId, generatedAtMs: START })).toThrow(/id of its own/);
  });

  test("has an id that OCPI can carry", () => {
    expect(() => settlementReport(intervals, rules, { reportId: "x".repeat(40), generatedAtMs: 0 })).toThrow(/39/);
  });
});

const nasty: SettlementRules = {
  ...rules,
  flows: [
    {
      name: "energyCost",
      description: `<script>alert("1")</script> & 'more', "quoted"`,
      kind: "energy",
      to: { era: "=cmd|' /C calc'!A0", role: "SELLER" },
    },
  ],
};

describe("a report as CSV", () => {
  test("has one row a line, with amounts to the cent", () => {
    const rows = settlementCsv(reportOf()).split("\r\n");
    expect(rows[0]).toMatch(/^report_id,cycle_id,order_id,start,end,line,/);
    expect(rows[2]).toBe(
      "settle-report-2024-10-04-001,settle-report-2024-10-04-001/1,order-energy-001,2024-10-04T10:00:00.000Z," +
        "2024-10-04T11:00:00.000Z,wheelingCharges,Wheeling charges,10 kWh × 2/kWh,consumer-001,BUYER," +
        "grid-operator-utility,GRID_OPERATOR,20,20.00,INR",
    );
    expect(rows).toHaveLength(6);
  });

  test("quotes what needs it, and is no formula to a spreadsheet", () => {
    const row = settlementCsv(reportOf(intervals, nasty)).split("\r\n")[1];
    expect(row).toContain(`"<script>alert(""1"")</script> & 'more', ""quoted"""`);
    expect(row).toContain(",'=cmd|' /C calc'!A0,");
  });
});

describe("a report as a page", () => {
  test("shows total, parties, bases and the hash, and needs nothing from elsewhere", () => {
    const page = settlementPage(reportOf(), "sha256:abc");
    for (const text of ["100.00 INR", "prosumer-solar-001", "10 % of gross 100.00", "sha256:abc", "half to even"]) {
      expect(page).toContain(text);
    }
    expect(page).not.toMatch(/<script|https?:|src=|href=|@import|url\(/);
    expect(page).toContain("default-src 'none'");
  });

  test("shows every text as text", () => {
    const page = settlementPage(reportOf(intervals, nasty), "<b>");
    expect(page).not.toMatch(/<script|<b>/);
    expect(page).toContain("&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt; &amp; &#39;more&#39;");
  });

  test("says at the top that intervals are not settled", () => {
    const unpriced = intervals.map(({ microPerKWh: _gone, ...interval }) => interval);
    expect(settlementPage(reportOf(unpriced), "x")).toMatch(
      /1 interval is not settled[\s\S]*not settled: no price was cleared/,
    );
  });
});
