import { describe, expect, test } from "vitest";
import { amountText } from "../../src/settlement/money.ts";
import { settlementReport } from "../../src/settlement/report.ts";
import { devkitRevenueFlows } from "../../src/settlement/report-json.ts";
import type { SettlementReport } from "../../src/settlement/report-shape.ts";
import type { FlowRule, SettlementRules } from "../../src/settlement/settlement-rules.ts";
import { clearedEnergyWh, type TradedInterval } from "../../src/settlement/traded-interval.ts";

const HOUR = 3_600_000;
const START = Date.UTC(2024, 9, 4, 10);

const prosumer = { era: "prosumer-solar-001", role: "SELLER" };
const consumer = { era: "consumer-001", role: "BUYER" };
const operator = { era: "grid-operator-utility", role: "GRID_OPERATOR" };
const aggregator = { era: "aggregator-platform", role: "AGGREGATOR" };
const government = { era: "government-tax", role: "GOVERNMENT" };

const MILLION = 1_000_000n;
const percent = (value: bigint) => value * MILLION;

/** One hour after the other; prices in whole currency units per kWh. */
function hours(...list: readonly (Partial<TradedInterval> & { meteredWh?: number })[]): TradedInterval[] {
  return list.map((interval, index) => ({
    era: "prosumer-solar-001",
    startMs: START + index * HOUR,
    endMs: START + (index + 1) * HOUR,
    quality: "MEASURED",
    ...interval,
  }));
}

function rulesOf(flows: readonly FlowRule[], more: Partial<SettlementRules> = {}): SettlementRules {
  return {
    currency: "INR",
    rounding: "HALF_EVEN",
    direction: "EXPORT",
    quantity: "METERED",
    payer: consumer,
    flows,
    ...more,
  };
}

function settle(intervals: readonly TradedInterval[], rules: SettlementRules): SettlementReport {
  return settlementReport(intervals, rules, { reportId: "report-1", generatedAtMs: START });
}

/** What each party gets, as texts. */
function gets(report: SettlementReport): Record<string, string> {
  return Object.fromEntries(
    report.flows.map(({ party, amountMinor }) => [party.role, amountText(amountMinor, report.rules.currency)]),
  );
}

const energy: FlowRule = { name: "energyCost", description: "Energy sale", kind: "energy", to: prosumer };
const wheeling: FlowRule = {
  name: "wheelingCharges",
  description: "Wheeling charges",
  kind: "perKWh",
  microPerKWh: 2n * MILLION,
  to: operator,
};
const fee: FlowRule = {
  name: "platformFee",
  description: "Platform fee",
  kind: "percent",
  microPercent: percent(10n),
  of: "gross",
  to: aggregator,
};
const tax: FlowRule = {
  name: "tax",
  description: "Tax (10%)",
  kind: "tax",
  microPercent: percent(10n),
  of: "gross",
  mode: "EXCLUSIVE",
  to: government,
};
const tenKWhAtSix = hours({ meteredWh: 10_000, microPerKWh: 6n * MILLION });

describe("the seed's settlement", () => {
  test("of 100 is 60 for the energy, 20 for the wires, 10 for the platform and 10 for the state", () => {
    const report = settle(tenKWhAtSix, rulesOf([energy, wheeling, fee, tax]));
    expect(gets(report)).toEqual({ SELLER: "60.00", GRID_OPERATOR: "20.00", AGGREGATOR: "10.00", GOVERNMENT: "10.00" });
    expect(amountText(report.totalMinor, "INR")).toBe("100.00");
  });

  test("comes out the same from the other end: the price is 10, all in, and the prosumer gets what is left", () => {
    const rest: FlowRule = { name: "rest", description: "Energy sale", kind: "residual", weight: 1n, to: prosumer };
    const report = settle(
      hours({ meteredWh: 10_000, microPerKWh: 10n * MILLION }),
      rulesOf([rest, wheeling, fee, tax]),
    );
    expect(gets(report)).toEqual({ SELLER: "60.00", GRID_OPERATOR: "20.00", AGGREGATOR: "10.00", GOVERNMENT: "10.00" });
  });

  test("has a tax of 10 % of the gross, which is 11.11 % of the net: the base is named and makes the difference", () => {
    const ofNet = (microPercent: bigint): FlowRule => ({ ...tax, of: "net", microPercent }) as FlowRule;
    const gross = settle(tenKWhAtSix, rulesOf([energy, wheeling, fee, tax]));
    expect(gross.cycles[0]?.trade.lines[3]).toMatchObject({ baseMinor: 10_000n, amountMinor: 1000n });
    // The fee is 10 % of the gross, so a smaller tax makes a smaller fee as well.
    const net = settle(tenKWhAtSix, rulesOf([energy, wheeling, fee, ofNet(percent(10n))]));
    expect(amountText(net.totalMinor, "INR")).toBe("98.88");
    expect(net.cycles[0]?.trade.lines[3]).toMatchObject({ baseMinor: 8989n, amountMinor: 899n });
    // 100 / 9 percent, as near as it can be written.
    expect(
      amountText(settle(tenKWhAtSix, rulesOf([energy, wheeling, fee, ofNet(11_111_111n)])).totalMinor, "INR"),
    ).toBe("100.00");
  });

  test("cycle of 4.0 is 1.5 for energy and 2.5 for wheeling", () => {
    const rules = rulesOf([energy, { ...wheeling, microPerKWh: 125_000n } as FlowRule]);
    const [cycle] = settle(hours({ meteredWh: 20_000, microPerKWh: 75_000n, orderId: "order-1" }), rules).cycles;
    expect(cycle).toMatchObject({ orderId: "order-1", amountMinor: 400n });
    expect(cycle?.trade.lines.map((line) => line.amountMinor)).toEqual([150n, 250n]);
  });
});

test("other published numbers come out: 5.5 kWh at 18 are 99, and 50 and 45 kWh at 3.5 are 332.5 with a net of zero", () => {
  const eighteen = settle(hours({ meteredWh: 5500, microPerKWh: 18n * MILLION }), rulesOf([energy]));
  expect(amountText(eighteen.totalMinor, "INR")).toBe("99.00");
  const flex = settle(
    hours({ meteredWh: 50_000, microPerKWh: 3_500_000n }, { meteredWh: 45_000, microPerKWh: 3_500_000n }),
    rulesOf([energy]),
  );
  expect(devkitRevenueFlows(flex)).toMatchObject({
    "@type": "RevenueFlow",
    revenueFlows: [
      { role: "seller", value: 332.5, currency: "INR" },
      { role: "buyer", value: -332.5, currency: "INR" },
    ],
  });
});

describe("a tax", () => {
  test("that is contained in the price is 10 in 110, where one on top would be 11", () => {
    const rest: FlowRule = { name: "rest", description: "Energy", kind: "residual", weight: 1n, to: prosumer };
    const trade = hours({ meteredWh: 10_000, microPerKWh: 11n * MILLION });
    expect(gets(settle(trade, rulesOf([rest, { ...tax, mode: "INCLUSIVE" } as FlowRule])))).toEqual({
      SELLER: "100.00",
      GOVERNMENT: "10.00",
    });
    expect(gets(settle(trade, rulesOf([rest, tax])))).toEqual({ SELLER: "99.00", GOVERNMENT: "11.00" });
  });

  test("on top of a net price counts the fees, but not itself", () => {
    const fixed: FlowRule = {
      name: "fix",
      description: "Session fee",
      kind: "fixed",
      amountMinor: 500n,
      to: aggregator,
    };
    const vat = { ...tax, of: "net", microPercent: percent(20n) } as FlowRule;
    expect(gets(settle(tenKWhAtSix, rulesOf([energy, fixed, vat])))).toEqual({
      SELLER: "60.00",
      AGGREGATOR: "5.00",
      GOVERNMENT: "13.00",
    });
  });

  test("and fees that take the whole gross are refused", () => {
    const half = (name: string) => ({ ...fee, name, microPercent: percent(50n) }) as FlowRule;
    expect(() => settle(tenKWhAtSix, rulesOf([energy, half("a"), half("b")]))).toThrow(/100 % or more/);
  });
});

test("residual parties share by weight to the last cent", () => {
  const rest = (name: string, weight: bigint, era: string): FlowRule => ({
    name,
    description: "Share",
    kind: "residual",
    weight,
    to: { era, role: "SELLER" },
  });
  const report = settle(
    hours({ meteredWh: 10_000, microPerKWh: 10n * MILLION }),
    rulesOf([rest("a", 1n, "roof-a"), rest("b", 1n, "roof-b"), rest("c", 1n, "roof-c")]),
  );
  expect(report.flows.map((flow) => flow.amountMinor)).toEqual([3334n, 3333n, 3333n]);
});

test("congestion rent is the locational adder in each interval's price, and goes to the grid operator and not to the seller", () => {
  const rent: FlowRule = { name: "congestionRent", description: "Congestion", kind: "congestion", to: operator };
  const report = settle(
    hours(
      { meteredWh: 10_000, microPerKWh: 100_000n, adderMicroPerKWh: 75_000n },
      { meteredWh: 10_000, microPerKWh: 100_000n },
    ),
    rulesOf([energy, rent]),
  );
  expect(gets(report)).toEqual({ SELLER: "1.25", GRID_OPERATOR: "0.75" });
  expect(report.totalMinor).toBe(200n);
});

describe("who deviates", () => {
  const imbalance: FlowRule = {
    name: "imbalance",
    description: "Imbalance",
    kind: "imbalance",
    microPerKWh: 9n * MILLION,
    from: prosumer,
    to: operator,
  };
  const cleared = { quantity: "CLEARED" } as const;

  test("pays for what it gave too little, and changes nobody else's line", () => {
    const asCleared = settle(hours({ meteredWh: 10_000, clearedWh: 10_000, microPerKWh: 6n * MILLION }), {
      ...rulesOf([energy, fee, imbalance]),
      ...cleared,
    });
    const short = settle(hours({ meteredWh: 8000, clearedWh: 10_000, microPerKWh: 6n * MILLION }), {
      ...rulesOf([energy, fee, imbalance]),
      ...cleared,
    });
    expect(short.totalMinor).toBe(asCleared.totalMinor);
    expect(short.flows.map(({ party, amountMinor }) => [party.role, amountMinor])).toEqual([
      ["SELLER", 6000n],
      ["AGGREGATOR", 667n],
      ["GRID_OPERATOR", 1800n],
      ["SELLER", -1800n],
    ]);
    expect(short.balances.map(({ party, amountMinor }) => [party.role, amountMinor])).toEqual([
      ["SELLER", 4200n],
      ["BUYER", -6667n],
      ["AGGREGATOR", 667n],
      ["GRID_OPERATOR", 1800n],
    ]);
  });

  test("is paid for what it gave too much, and a load pays for what it drew too much", () => {
    const more = hours({ meteredWh: 11_000, clearedWh: 10_000, microPerKWh: 6n * MILLION });
    const line = (direction: "IMPORT" | "EXPORT") =>
      settle(more, { ...rulesOf([energy, imbalance]), ...cleared, direction }).cycles[0]?.trade.lines[1]?.amountMinor;
    expect([line("EXPORT"), line("IMPORT")]).toEqual([-900n, 900n]);
  });

  test("pays a penalty for each kWh not delivered; too much in another hour does not help", () => {
    const penalty: FlowRule = {
      name: "penalty",
      description: "Non-delivery",
      kind: "penalty",
      microPerKWh: MILLION,
      from: prosumer,
      to: consumer,
    };
    const report = settle(
      hours(
        { meteredWh: 8000, clearedWh: 10_000, microPerKWh: 6n * MILLION },
        { meteredWh: 12_000, clearedWh: 10_000, microPerKWh: 6n * MILLION },
      ),
      rulesOf([energy, penalty]),
    );
    expect(report.flows.map((flow) => flow.amountMinor)).toEqual([12_000n, -200n]);
    expect(amountText(report.totalMinor, "INR")).toBe("118.00");
  });
});

describe("an interval that can't be settled", () => {
  test("is in the report with its reason, and in no amount", () => {
    const report = settle(
      hours(
        { meteredWh: 10_000, microPerKWh: 6n * MILLION },
        { quality: "GAP", reason: "no reading for 900 s", meteredWh: 300 },
        { meteredWh: 10_000 },
        { meteredWh: 10_000, microPerKWh: MILLION, currency: "USD" },
        { microPerKWh: MILLION },
      ),
      rulesOf([energy]),
    );
    expect(amountText(report.totalMinor, "INR")).toBe("60.00");
    expect(report.cycles[0]?.trade.unsettled.map((one) => one.reason)).toEqual([
      "gap: no reading for 900 s",
      "no price was cleared",
      "its price is in USD, and nothing is converted",
      "the meter has no export register",
    ]);
  });

  test("is charged no fixed fee, if it is all there is of its cycle", () => {
    const fixed: FlowRule = { name: "fix", description: "Fee", kind: "fixed", amountMinor: 50n, to: aggregator };
    const report = settle(
      hours(
        { meteredWh: 1000, microPerKWh: MILLION, orderId: "o-1" },
        { quality: "GAP", reason: "no reading for 900 s" },
      ),
      rulesOf([energy, fixed]),
    );
    expect(report.cycles.map((cycle) => [cycle.amountMinor, cycle.trade.lines.length])).toEqual([
      [150n, 2],
      [0n, 0],
    ]);
  });

  test("twice is an error: the same energy is not paid for again", () => {
    const [one] = hours({ meteredWh: 1000, microPerKWh: MILLION });
    if (one === undefined) throw new Error("unreachable");
    expect(() => settle([one, { ...one, orderId: "other" }], rulesOf([energy]))).toThrow(/overlap.*paid twice/);
  });
});

test("rules that contradict each other are refused by name", () => {
  const rest: FlowRule = { name: "rest", description: "Rest", kind: "residual", weight: 1n, to: prosumer };
  const faults: readonly (readonly [readonly FlowRule[], RegExp])[] = [
    [[], /at least one/],
    [[energy, energy], /"energyCost": the name is given twice/],
    [[energy, { ...energy, name: "again" }], /"again": a second line at the interval's price/],
    [
      [
        energy,
        { ...energy, name: "rent", kind: "congestion" } as FlowRule,
        { ...energy, name: "more", kind: "congestion" } as FlowRule,
      ],
      /"more": a second congestion line/,
    ],
    [[energy, rest], /"energyCost": with a residual party/],
    [[{ ...energy, to: consumer }], /would pay itself/],
    [
      [energy, { ...energy, name: "im", kind: "imbalance", microPerKWh: 1n, from: prosumer, to: operator } as FlowRule],
      /"im": quantity must be CLEARED/,
    ],
  ];
  for (const [flows, message] of faults) expect(() => settle(tenKWhAtSix, rulesOf(flows))).toThrow(message);
});

test("each order is a cycle of its own, with its own fixed fee", () => {
  const fixed: FlowRule = { name: "fix", description: "Session fee", kind: "fixed", amountMinor: 50n, to: aggregator };
  const report = settle(
    hours(
      { meteredWh: 1000, microPerKWh: MILLION, orderId: "o-1" },
      { meteredWh: 2000, microPerKWh: MILLION, orderId: "o-2" },
      { meteredWh: 4000, microPerKWh: MILLION, orderId: "o-1" },
    ),
    rulesOf([energy, fixed]),
  );
  expect(report.cycles.map((cycle) => [cycle.orderId, cycle.amountMinor])).toEqual([
    ["o-1", 550n],
    ["o-2", 250n],
  ]);
  expect(gets(report)).toEqual({ SELLER: "7.00", AGGREGATOR: "1.00" });
});

test("a setpoint asks for energy in one direction only", () => {
  expect(clearedEnergyWh(-8000, HOUR / 4, "IMPORT")).toBe(2000);
  expect(clearedEnergyWh(-8000, HOUR / 4, "EXPORT")).toBe(0);
  expect(clearedEnergyWh(3500, HOUR, "EXPORT")).toBe(3500);
});
