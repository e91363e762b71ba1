import type { MarketRound, Scenario } from "../../src/cli/scenario-parts.ts";
import { Sun } from "../world/sun.ts";
import { checkProofs, checkRounds, followedRounds, openNeighbourhood, tradedRounds } from "./neighbourhood.ts";
import { carAtCharger, homeBattery, type StageDevice, solarRoof } from "./site-devices.ts";
import { Stage, timeText } from "./stage.ts";

const START_MS = Date.UTC(2026, 11, 15, 11, 0);
const INTERVAL_MS = 5 * 60_000;
const INTERVALS = 3;
const SPEED = 40;
const PANELS = 20;
const CARS = 10;
const BATTERIES = 5;
/** Clouds pass and a car's current has steps of 0.1 A; the neighbourhood as a whole may be off by this share of what flows. */
const FOLLOWS_WITHIN = 0.05;

const offShare = ({ sumKW, grossKW }: { readonly sumKW: number; readonly grossKW: number }) =>
  Math.abs(sumKW) / Math.max(grossKW, 1);

/** To a thousandth of a watt, and without the sign that rounding leaves on a zero. */
const nearest = (powerKW: number) => Math.round(powerKW * 1e6) / 1e6 + 0;

/** Twenty roofs, ten cars and five batteries trade with each other and with nobody else (the seed, 2.6). */
export const vpp: Scenario = {
  name: "vpp",
  title: "A neighbourhood of 20 roofs, 10 cars and 5 batteries balances itself",
  run: async (context) => {
    await using stage = new Stage(context, { speed: SPEED, startAtMs: START_MS });
    const sun = new Sun(stage.clock, stage.rng.fork("sun"), { startHour: 12 });
    const panels = await Promise.all(
      Array.from({ length: PANELS }, (_, index) =>
        solarRoof(stage, {
          era: `roof-${index + 1}`,
          ratingKW: 4 + (index % 3),
          sun,
          // A feed-in limit of half the rating, as many networks set it; the sun gives more than that at noon.
          config: { prices: { from: 0.02, to: 0.06 }, limit: { maxPowerKW: (4 + (index % 3)) / 2 } },
        }),
      ),
    );
    const cars = Array.from({ length: CARS }, (_, index) =>
      carAtCharger(stage, {
        era: `car-${index + 1}`,
        phases: index % 2 === 0 ? 3 : 1,
        maxA: index % 2 === 0 ? 16 : 32,
        version: index % 3 === 0 ? "2.0.1" : "1.6",
        capacityKWh: 60,
        socPercent: 30 + index,
        config: { prices: { from: 0.08 + index * 0.002, to: 0.16 + index * 0.002 } },
      }),
    );
    const batteries = await Promise.all(
      Array.from({ length: BATTERIES }, (_, index) =>
        homeBattery(stage, {
          era: `battery-${index + 1}`,
          capacityKWh: 10,
          socPercent: 40 + index * 5,
          maxKW: 5,
          config: {
            storage: { storedValuePerKWh: 0.11, wearPerKWh: 0.01, roundTripEfficiency: 0.92, spreadPerKWh: 0.03 },
          },
        }),
      ),
    );
    const devices: readonly StageDevice[] = [...panels, ...cars, ...batteries];
    stage.say(
      `${PANELS} roofs (SunSpec), ${CARS} cars (OCPP 1.6 and 2.0.1) and ${BATTERIES} batteries (SunSpec) join; no grid to trade with.`,
    );
    const { market, sites } = await openNeighbourhood(stage, {
      intervalMs: INTERVAL_MS,
      // All have to confirm in time, on a clock that runs much faster than the machine.
      gateMs: (INTERVAL_MS * 2) / 3,
      market: { minPrice: 0, maxPrice: 0.5 },
      sites: [{ id: "neighbourhood", devices }],
    });

    const kind = (list: readonly StageDevice[]) => new Set(list.map(({ era }) => era));
    const kinds = { roofs: kind(panels), cars: kind(cars), batteries: kind(batteries) };
    const ordered = (round: MarketRound, eras: ReadonlySet<string>) =>
      round.orders.filter(({ era }) => eras.has(era)).reduce((sum, { powerKW }) => sum + powerKW, 0);
    const offBy: { readonly sumKW: number; readonly grossKW: number }[] = [];
    const flowing = () => {
      const powersKW = devices.map((device) => device.powerKW());
      const sumKW = powersKW.reduce((sum, powerKW) => sum + powerKW, 0);
      return { sumKW, grossKW: powersKW.reduce((sum, powerKW) => sum + Math.max(0, powerKW), 0) };
    };
    const wanted = {
      orders: devices.length,
      rounds: INTERVALS,
      intervalMs: INTERVAL_MS,
      isFollowed: () => offShare(flowing()) <= FOLLOWS_WITHIN,
    };
    for await (const round of followedRounds(stage, market, wanted)) {
      const { sumKW, grossKW } = flowing();
      offBy.push({ sumKW, grossKW });
      stage.say(
        `At ${timeText(round.startMs)}, ${round.result.pricePerKWh?.toFixed(4)} EUR/kWh: roofs ${ordered(round, kinds.roofs).toFixed(1)}, cars ${ordered(round, kinds.cars).toFixed(1)}, batteries ${ordered(round, kinds.batteries).toFixed(1)} kW; measured together ${sumKW.toFixed(2)} kW.`,
      );
    }
    const rounds = (await tradedRounds(market)).filter((round) => round.orders.length === devices.length);
    stage.table(
      "What was cleared",
      ["interval", "price EUR/kWh", "roofs kW", "cars kW", "batteries kW", "sum kW"],
      rounds.map((round) => [
        timeText(round.startMs),
        (round.result.pricePerKWh ?? 0).toFixed(4),
        ordered(round, kinds.roofs).toFixed(3),
        ordered(round, kinds.cars).toFixed(3),
        ordered(round, kinds.batteries).toFixed(3),
        nearest(round.orders.reduce((sum, { powerKW }) => sum + powerKW, 0)).toFixed(6),
      ]),
    );
    stage.check(
      "all 35 trade",
      offBy.length >= INTERVALS,
      `${offBy.length} intervals with ${devices.length} orders each`,
    );
    checkRounds(stage, rounds);
    const worst = Math.max(0, ...offBy.map(offShare));
    stage.check(
      "measured together they balance",
      offBy.length > 0 && worst <= FOLLOWS_WITHIN,
      `worst ${(100 * worst).toFixed(1)} % of what flows, of ${100 * FOLLOWS_WITHIN} %`,
    );
    checkProofs(stage, sites);
    const charges = batteries.map(({ cells }) => cells.socPercent);
    stage.check(
      "no battery is emptied below its reserve",
      charges.every((percent) => percent >= 10 && percent <= 100),
      charges.map((percent) => `${percent.toFixed(0)} %`).join(", "),
    );
    return stage.report(vpp.name, vpp.title);
  },
};
