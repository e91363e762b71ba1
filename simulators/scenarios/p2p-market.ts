import type { Scenario } from "../../src/cli/scenario-parts.ts";
import { Sun } from "../world/sun.ts";
import { type Aggregated, AggregationClient } from "./aggregation-client.ts";
import {
  checkProofs,
  checkRounds,
  followedRounds,
  MARKET_ID,
  openNeighbourhood,
  tradedRounds,
} from "./neighbourhood.ts";
import { carAtCharger, solarRoof } from "./site-devices.ts";
import { Stage, timeText } from "./stage.ts";

const START_MS = Date.UTC(2026, 11, 15, 12, 0);
const INTERVAL_MS = 5 * 60_000;
const SPEED = 60;
const INTERVALS = 3;
const ROOFS = 10;
/** Clouds, and the 0.1 A steps of a charger. */
const APART_KW = 0.6;
const ROOF_KW = 5;

/** Ten prosumers and one consumer find their price (the seed, 2.4). */
export const p2pMarket: Scenario = {
  name: "p2p-market",
  title: "Ten roofs and one consumer find their price",
  run: async (context) => {
    await using stage = new Stage(context, { speed: SPEED, startAtMs: START_MS });
    const reader = stage.party("reader.scenario.example");
    const sun = new Sun(stage.clock, stage.rng.fork("sun"), { startHour: 12 });
    const roofs = await Promise.all(
      Array.from({ length: ROOFS }, (_, index) =>
        solarRoof(stage, {
          era: `roof-${index + 1}`,
          ratingKW: 2 * ROOF_KW,
          sun,
          config: { prices: { from: 0.05, to: 0.07 }, limit: { maxPowerKW: ROOF_KW } },
        }),
      ),
    );
    const consumer = carAtCharger(stage, {
      era: "consumer",
      phases: 3,
      maxA: 40,
      capacityKWh: 80,
      socPercent: 20,
      config: { prices: { from: 0.06, to: 0.07 } },
    });
    stage.say(
      `${ROOFS} roofs offer up to ${ROOF_KW} kW each from 0.05 INR/kWh on; a consumer takes 27.6 kW at 0.06, nothing at 0.07.`,
    );
    const { market, sites } = await openNeighbourhood(stage, {
      intervalMs: INTERVAL_MS,
      // All have to confirm in time, on a clock that runs much faster than the machine.
      gateMs: (INTERVAL_MS * 2) / 3,
      currency: "INR",
      sites: [
        { id: "prosumers", devices: roofs },
        { id: "consumer", devices: [consumer] },
      ],
      guests: [reader],
    });
    const { url } = market;
    const published = await (await AggregationClient.open(stage, reader, { url, subscriberId: MARKET_ID })).clear(
      publishedBids(),
    );
    stage.checkEqual("the published curves' price", published.clearingPrice ?? 0, 0.06375, 1e-12, "INR/kWh");
    stage.checkEqual("the published curves' quantity", published.clearingQuantityKW, 31.25, 1e-6, "kW");
    const measured: { readonly givenKW: number; readonly takenKW: number }[] = [];
    const flowing = () => ({
      givenKW: roofs.reduce((sum, roof) => sum + roof.powerKW(), 0),
      takenKW: -consumer.powerKW(),
    });
    const apart = ({ givenKW, takenKW }: ReturnType<typeof flowing>) => Math.abs(givenKW - takenKW);
    const wanted = {
      orders: ROOFS + 1,
      rounds: INTERVALS,
      intervalMs: INTERVAL_MS,
      isFollowed: () => apart(flowing()) <= APART_KW,
    };
    for await (const round of followedRounds(stage, market, wanted)) {
      const { givenKW, takenKW } = flowing();
      measured.push({ givenKW, takenKW });
      stage.say(
        `From ${timeText(round.startMs)} at ${round.result.pricePerKWh?.toFixed(6)} INR/kWh: the roofs give ${givenKW.toFixed(2)} kW together and the consumer takes ${takenKW.toFixed(2)} kW.`,
      );
    }
    const rounds = (await tradedRounds(market)).filter(({ orders }) => orders.length === ROOFS + 1);
    stage.table(
      "What was cleared",
      ["interval", "price INR/kWh", "each roof kW", "consumer kW"],
      rounds.map(({ startMs, result, orders }) => [
        timeText(startMs),
        (result.pricePerKWh ?? 0).toFixed(6),
        (orders.find(({ era }) => era === "roof-1")?.powerKW ?? 0).toFixed(4),
        (orders.find(({ era }) => era === "consumer")?.powerKW ?? 0).toFixed(4),
      ]),
    );
    checkRounds(stage, rounds);
    // 50 kW over 0.02 against 27.6 kW over 0.01: where both lines meet.
    const expected = (2500 * 0.05 + 2760 * 0.07) / (2500 + 2760);
    stage.checkEqual(
      "the price is where both lines meet",
      rounds.at(-1)?.result.pricePerKWh ?? 0,
      expected,
      1e-6,
      "INR/kWh",
    );
    const shares = (rounds.at(-1)?.orders ?? []).filter(({ era }) => era !== "consumer").map(({ powerKW }) => powerKW);
    const spreadKW = Math.max(...shares) - Math.min(...shares);
    stage.check(
      "every roof gives the same",
      shares.length === ROOFS && spreadKW < 1e-9,
      `${shares[0]?.toFixed(4)} kW each`,
    );
    const offKW = Math.max(0, ...measured.map(apart));
    stage.check(
      "measured, they balance",
      measured.length === INTERVALS && offKW <= APART_KW,
      `${measured.length} intervals, ${offKW.toFixed(2)} kW apart at most, of ${APART_KW}`,
    );
    checkProofs(stage, sites);
    return stage.report(p2pMarket.name, p2pMarket.title);
  },
};

/**
 * The curves of the founding analysis' own example: one consumer, ten panels. They balance at 0.06375 and 31.25 kW; the
 * document says 0.0625 and 50.
 */
function publishedBids(): readonly Aggregated[] {
  const curve = (points: readonly (readonly [number, number])[]) =>
    points.map(([price, powerKW]) => ({ price, powerKW }));
  const panels = Array.from({ length: ROOFS }, (_, index) => ({
    era: `panel-${index + 1}`,
    bidCurve: curve([
      [0.05, 0],
      [0.06, 2],
      [0.07, 5],
    ]),
  }));
  const consumer = {
    era: "consumer",
    bidCurve: curve([
      [0.06, -50],
      [0.07, 0],
    ]),
  };
  return [...panels, consumer];
}
