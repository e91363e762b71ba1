import type { MarketRound, Scenario } from "../../src/cli/scenario-parts.ts";
import { type Aggregated, AggregationClient, type AggregationResult } from "./aggregation-client.ts";
import { settleSite, showBill } from "./bill.ts";
import {
  checkProofs,
  checkRounds,
  MARKET_ID,
  type Neighbourhood,
  openNeighbourhood,
  tradedRounds,
} from "./neighbourhood.ts";
import { carAtCharger } from "./site-devices.ts";
import { Stage, timeText } from "./stage.ts";

const START_MS = Date.UTC(2026, 11, 15, 17, 0);
const INTERVAL_MS = 5 * 60_000;
const SPEED = 120;
const LIMIT_KW = 6;
const RATING_KW = 20;
const ADDER_PER_PERCENT = 0.0005;
const BASE_PRICE = 0.1;

/** Transformers that put a price on their load and keep their limits (the seed, 2.7, 3.4 and 3.5). */
export const gridServices: Scenario = {
  name: "grid-services",
  title: "Transformers put a price on their load, keep their limits, and shift a plateau",
  run: async (context) => {
    await using stage = new Stage(context, { speed: SPEED, startAtMs: START_MS });
    const operator = stage.party("grid-operator.scenario.example");
    const cars = Array.from({ length: 5 }, (_, index) =>
      carAtCharger(stage, {
        era: `car-${index + 1}`,
        phases: 1,
        maxA: 32,
        capacityKWh: 60,
        socPercent: 30,
        config: { prices: { from: 0.12, to: 0.24 } },
      }),
    );
    stage.say(
      `Two cars hang below zone-5, whose load has a price; two below zone-6, which carries ${LIMIT_KW} kW; one at the substation. The grid sells at ${BASE_PRICE} EUR/kWh.`,
    );
    const neighbourhood = await openNeighbourhood(stage, {
      intervalMs: INTERVAL_MS,
      market: {
        external: {
          points: [
            { price: BASE_PRICE, powerKW: 0 },
            { price: BASE_PRICE, powerKW: 200 },
          ],
        },
      },
      grid: {
        nodes: [
          { era: "substation" },
          {
            era: "zone-5",
            parent: "substation",
            adder: { priceAdderPerPercent: ADDER_PER_PERCENT, ratingKW: RATING_KW },
          },
          { era: "zone-6", parent: "substation", maxForwardFlowKW: LIMIT_KW },
        ],
        resources: [
          { era: "car-1", node: "zone-5" },
          { era: "car-2", node: "zone-5" },
          { era: "car-3", node: "zone-6" },
          { era: "car-4", node: "zone-6" },
          { era: "car-5" },
        ],
      },
      sites: [{ id: "street", devices: cars }],
      guests: [operator],
    });
    const { market, sites } = neighbourhood;
    await checkSeedNumbers(
      stage,
      await AggregationClient.open(stage, operator, { url: market.url, subscriberId: MARKET_ID }),
    );
    const below = (...names: readonly string[]) =>
      -cars.filter(({ era }) => names.includes(era)).reduce((sum, car) => sum + car.powerKW(), 0);
    const drawnKW: number[] = [];
    for (let sample = 0; sample < 40; sample++) {
      await stage.pass(INTERVAL_MS / 10);
      drawnKW.push(below("car-3", "car-4"));
    }
    const rounds = (await tradedRounds(market)).filter(({ orders }) => orders.length === cars.length);
    const nodeOf = (round: MarketRound, era: string) => round.result.nodes.find((node) => node.era === era);
    const last = rounds.at(-1);
    stage.table(
      "Prices in the last interval",
      ["node", "price EUR/kWh", "adder", "import kW", "bound", "rent EUR/h"],
      (last?.result.nodes ?? []).map(
        ({ era, pricePerKWh = 0, adderPerKWh, flowKW, boundBy, congestionRentPerHour }) => [
          era,
          pricePerKWh.toFixed(4),
          adderPerKWh.toFixed(4),
          (-flowKW).toFixed(3),
          boundBy ?? "",
          congestionRentPerHour.toFixed(4),
        ],
      ),
    );
    checkRounds(stage, rounds);
    for (const round of rounds.slice(-1)) {
      const zone5 = nodeOf(round, "zone-5");
      const zone6 = nodeOf(round, "zone-6");
      const loadPercent = (100 * -(zone5?.flowKW ?? 0)) / RATING_KW;
      stage.say(
        `From ${timeText(round.startMs)} zone-5 is at ${loadPercent.toFixed(1)} % load and costs ${zone5?.adderPerKWh.toFixed(4)} more; zone-6 is full, and costs ${zone6?.adderPerKWh.toFixed(4)} more.`,
      );
      stage.checkEqual(
        "zone-5's adder is its load × the rate",
        zone5?.adderPerKWh ?? 0,
        loadPercent * ADDER_PER_PERCENT,
        1e-9,
        "EUR/kWh",
      );
      stage.checkEqual("zone-6 is used up to its limit", -(zone6?.flowKW ?? 0), LIMIT_KW, 1e-6, "kW");
      stage.check(
        "only what is full or loaded is dearer",
        zone6?.boundBy === "FORWARD" && (zone6?.adderPerKWh ?? 0) > 0,
        `zone-6 ${zone6?.boundBy}`,
      );
      const rents = round.result.nodes.reduce((sum, { congestionRentPerHour }) => sum + congestionRentPerHour, 0);
      const paid = round.orders.reduce((sum, { powerKW, pricePerKWh = 0 }) => sum - powerKW * pricePerKWh, 0);
      const bought = (round.result.externalKW ?? 0) * (round.result.pricePerKWh ?? 0);
      stage.checkEqual("what the cars pay is the energy and the rents", paid, bought + rents, 1e-9, "EUR/h");
    }
    const mostKW = Math.max(...drawnKW);
    stage.check(
      "zone-6's meters never show more than its limit",
      mostKW <= LIMIT_KW + 0.001 && mostKW > LIMIT_KW / 2,
      `at most ${mostKW.toFixed(3)} of ${LIMIT_KW} kW in ${drawnKW.length} samples`,
    );
    checkProofs(stage, sites);
    await billTheStreet(stage, neighbourhood);
    return stage.report(gridServices.name, gridServices.title);
  },
};

/** What the meters counted is paid at each car's own price: the energy to who sold it, what the wires add to who owns them. */
async function billTheStreet(stage: Stage, neighbourhood: Neighbourhood): Promise<void> {
  const report = await settleSite(stage, neighbourhood, "street", {
    direction: "IMPORT",
    payer: { era: "street", role: "BUYER" },
    flows: [
      { kind: "energy", name: "energyCost", description: "Energy", to: { era: "market", role: "SELLER" } },
      {
        kind: "congestion",
        name: "congestionRent",
        description: "Congestion rent",
        to: { era: "grid-operator", role: "GRID_OPERATOR" },
      },
    ],
  });
  showBill(stage, report, "The street's bill");
  const rents = report.cycles.flatMap(({ trade }) =>
    trade.lines
      .filter(({ rule }) => rule.kind === "congestion")
      .map(({ unroundedNano }) => Number(unroundedNano) / 1e9),
  );
  const expected = report.cycles.flatMap(({ trade }) =>
    trade.intervals.map(({ settledWh, microPerKWh }) => (settledWh / 1000) * (Number(microPerKWh) / 1e6 - BASE_PRICE)),
  );
  const sum = (amounts: readonly number[]) => amounts.reduce((before, amount) => before + amount, 0);
  stage.check("the wires have their rent", sum(rents) > 0, `${sum(rents).toFixed(4)} EUR before rounding`);
  stage.checkEqual("the rent is what each car paid above the base price", sum(rents), sum(expected), 1e-6, "EUR");
}

/** A bid of one jump: nothing below its price, all above. */
const jump = (era: string, price: number, powerKW: number): Aggregated => ({
  era,
  node: "zone",
  bidCurve: [
    { price, powerKW: 0 },
    { price, powerKW },
  ],
});

/** The seed's transformer at 75 %, and an offset on a plateau, where no price could move anything; asked of the market. */
async function checkSeedNumbers(stage: Stage, market: AggregationClient): Promise<void> {
  const transformer = {
    era: "transformer-zone-5",
    "@type": "GridNode",
    locationalPriceAdder: {
      basePrice: 0.1,
      priceAdderPerPercent: 0.001,
      formula: "basePrice + (currentLoadPercent * priceAdderPerPercent)",
    },
    gridConstraints: { maxForwardFlowKW: 200, uncontrolledKW: -150 },
  };
  const houses = { era: "houses", node: "transformer-zone-5", bidCurve: [{ price: 0, powerKW: 0 }] };
  const loaded = await market.clear([transformer, houses], { external: gridAt(BASE_PRICE, 1000) });
  const price = loaded.locationalPrices?.[0]?.price ?? 0;
  stage.checkEqual("150 of 200 kW put 0.075 on 0.10", price, 0.175, 1e-12, "EUR/kWh");

  const load = { era: "load", node: "zone", bidCurve: [{ price: 0, powerKW: -8.5 }] };
  const bids = [jump("cheap", 0.1, 8.5), jump("dear", 0.2, 8.5), load];
  const withOffset = (offsetKW: number) =>
    market.clear([{ era: "zone", "@type": "GridNode", offsetCommand: { enabled: offsetKW !== 0, offsetKW } }, ...bids]);
  const [before, after, tooMuch] = [await withOffset(0), await withOffset(2), await withOffset(20)];
  const powerOf = (result: AggregationResult, era: string) =>
    result.setpoints.find((setpoint) => setpoint.era === era)?.setpointKW ?? 0;
  stage.say(
    `The operator asks the market: on a plateau from 0.10 to 0.20 no price moves anything. An offset of 2 kW does: ${powerOf(before, "cheap")} kW become ${powerOf(after, "cheap")}.`,
  );
  stage.check("without it the market is on a plateau", before.status === "PLATEAU", before.status);
  stage.checkEqual("8.5 less the offset of 2 are 6.5", powerOf(after, "cheap"), 6.5, 1e-9, "kW");
  stage.checkEqual("what nobody can take is reported", tooMuch.offsets?.[0]?.unservedKW ?? 0, 11.5, 1e-9, "kW");
}

/** The grid as a curve: any power up to a bound at one price. */
function gridAt(price: number, mostKW: number): object {
  return {
    bidCurve: [
      { price, powerKW: 0 },
      { price, powerKW: mostKW },
    ],
  };
}
