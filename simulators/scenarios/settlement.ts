import { createHash } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Scenario } from "../../src/cli/scenario-parts.ts";
import { splitByLargestRemainder } from "../../src/settlement/largest-remainder.ts";
import { settlementReport } from "../../src/settlement/report.ts";
import { settlementCsv } from "../../src/settlement/report-csv.ts";
import { contentHashOf, hasItsHash, settlementJson } from "../../src/settlement/report-json.ts";
import { settlementPage } from "../../src/settlement/report-page.ts";
import type { SettlementRules } from "../../src/settlement/settlement-rules.ts";
import { Sun } from "../world/sun.ts";
import { micro, settleSite, showBill } from "./bill.ts";
import { checkProofs, checkRounds, openNeighbourhood, tradedRounds } from "./neighbourhood.ts";
import { carAtCharger, solarRoof } from "./site-devices.ts";
import { Stage } from "./stage.ts";

const START_MS = Date.UTC(2026, 11, 15, 12, 0);
const INTERVAL_MS = 5 * 60_000;
const SPEED = 120;
const HUNDRED_PERCENT = 100_000_000n;

const seller = { era: "prosumer-solar-001", role: "SELLER" };
const gridOperator = { era: "grid-operator-utility", role: "GRID_OPERATOR" };
const aggregator = { era: "aggregator-platform", role: "AGGREGATOR" };
const government = { era: "government-tax", role: "GOVERNMENT" };
const buyer = { era: "car", role: "BUYER" };

/** Who pays whom for what was metered, to the cent (the seed, 2.8 and 3.7). */
export const settlement: Scenario = {
  name: "settlement",
  title: "One trade, four who are paid, and a report that adds up",
  run: async (context) => {
    await using stage = new Stage(context, { speed: SPEED, startAtMs: START_MS });
    checkSeedBill(stage);
    const sun = new Sun(stage.clock, stage.rng.fork("sun"), { startHour: 12 });
    const roof = await solarRoof(stage, {
      era: "roof",
      ratingKW: 12,
      sun,
      config: { prices: { from: 0.05, to: 0.05 }, limit: { maxPowerKW: 6 } },
    });
    const car = carAtCharger(stage, {
      era: "car",
      phases: 1,
      maxA: 32,
      capacityKWh: 50,
      socPercent: 50,
      config: { prices: { from: 0.12, to: 0.2 } },
    });
    stage.say(
      "A roof of 6 kW sells to a car for five intervals. A platform brought them together, and the state takes its tax.",
    );
    const neighbourhood = await openNeighbourhood(stage, {
      intervalMs: INTERVAL_MS,
      sites: [
        { id: "seller", devices: [roof] },
        { id: "buyer", devices: [car] },
      ],
    });
    await stage.pass(INTERVAL_MS * 5.5);
    const rounds = (await tradedRounds(neighbourhood.market)).filter(({ orders }) => orders.length === 2);
    checkRounds(stage, rounds);
    checkProofs(stage, neighbourhood.sites);
    const flows: SettlementRules["flows"] = [
      { kind: "energy", name: "energyCost", description: "Energy sale", to: seller },
      {
        kind: "perKWh",
        name: "wheelingCharges",
        description: "Wheeling charges",
        to: gridOperator,
        microPerKWh: micro(0.03),
      },
      {
        kind: "percent",
        name: "platformFee",
        description: "Platform fee, 5 % of the energy",
        to: aggregator,
        microPercent: HUNDRED_PERCENT / 20n,
        of: "energy",
      },
      {
        kind: "tax",
        name: "tax",
        description: "Tax, 10 % of the net",
        to: government,
        microPercent: HUNDRED_PERCENT / 10n,
        of: "net",
        mode: "EXCLUSIVE",
      },
      {
        kind: "penalty",
        name: "penalty",
        description: "Penalty for what was cleared and not delivered",
        to: buyer,
        from: seller,
        microPerKWh: micro(0.5),
      },
    ];
    const report = await settleSite(stage, neighbourhood, "buyer", { direction: "IMPORT", payer: buyer, flows });
    showBill(stage, report, "The buyer's bill");

    const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");
    const folder = stage.folder("bill");
    const document = settlementJson(report, sha256);
    writeFileSync(join(folder, "report.json"), JSON.stringify(document, null, 2));
    writeFileSync(join(folder, "report.csv"), settlementCsv(report));
    writeFileSync(join(folder, "report.html"), settlementPage(report, contentHashOf(report, sha256)));
    stage.say("The report is written as JSON, CSV and a page; its hash is in it.");
    stage.check(
      "the report is what its hash says",
      hasItsHash(document, sha256),
      contentHashOf(report, sha256).slice(0, 16),
    );
    return stage.report(settlement.name, settlement.title);
  },
};

/** The seed's own bill: 100 = 60 + 20 + 10 + 10, where the tax is 10 % of the gross. */
function checkSeedBill(stage: Stage): void {
  const rules: SettlementRules = {
    currency: "INR",
    rounding: "HALF_EVEN",
    direction: "IMPORT",
    quantity: "METERED",
    payer: buyer,
    flows: [
      { kind: "energy", name: "energyCost", description: "Energy sale", to: seller },
      {
        kind: "perKWh",
        name: "wheelingCharges",
        description: "Wheeling charges",
        to: gridOperator,
        microPerKWh: micro(2),
      },
      {
        kind: "percent",
        name: "platformFee",
        description: "Platform fee",
        to: aggregator,
        microPercent: HUNDRED_PERCENT / 10n,
        of: "gross",
      },
      {
        kind: "tax",
        name: "tax",
        description: "Tax (10 %)",
        to: government,
        microPercent: HUNDRED_PERCENT / 10n,
        of: "gross",
        mode: "EXCLUSIVE",
      },
    ],
  };
  const interval = {
    era: "car",
    orderId: "order-1",
    startMs: START_MS,
    endMs: START_MS + INTERVAL_MS,
    quality: "MEASURED" as const,
    meteredWh: 10_000,
    microPerKWh: micro(6),
  };
  const report = settlementReport([interval], rules, { reportId: "seed", generatedAtMs: START_MS });
  const amounts = report.flows.map(({ amountMinor }) => Number(amountMinor) / 100);
  const isSeeds = amounts.join(" ") === "60 20 10 10" && report.totalMinor === 10_000n;
  stage.check(
    "the seed's bill: 100 = 60 + 20 + 10 + 10",
    isSeeds,
    `${Number(report.totalMinor) / 100} = ${amounts.join(" + ")}`,
  );
  const thirds = splitByLargestRemainder(10_000n, [1n, 1n, 1n]);
  stage.check("100.00 in thirds loses no cent", thirds.join(" ") === "3334 3333 3333", thirds.join(" + "));
}
