import type { Scenario } from "../../src/cli/scenario-parts.ts";
import { checkRounds, openNeighbourhood, tradedRounds } from "./neighbourhood.ts";
import { carAtCharger } from "./site-devices.ts";
import { Stage, timeText } from "./stage.ts";

const START_MS = Date.UTC(2026, 11, 15, 14, 0);
const DEADLINE_MS = Date.UTC(2026, 11, 15, 15, 0);
const INTERVAL_MS = 5 * 60_000;
const SPEED = 120;
const TARGET_KWH = 5;
const MAX_PRICE = 0.12;
/** 6 A at 230 V on three phases. */
const LEAST_KW = 4.14;

/** A car that needs 5 kWh within the hour and pays no more than it must (the seed, 2.2, at a quarter of its size). */
export const evDemandFlexibility: Scenario = {
  name: "ev-demand-flexibility",
  title: "A car charges when it is cheap, and is full in time",
  run: async (context) => {
    await using stage = new Stage(context, { speed: SPEED, startAtMs: START_MS });
    const ev = carAtCharger(stage, {
      era: "ev-1",
      phases: 3,
      maxA: 16,
      capacityKWh: 60,
      socPercent: 40,
      config: {
        objective: {
          targetChargeKWh: TARGET_KWH,
          deadline: new Date(DEADLINE_MS).toISOString(),
          maxPricePerKWh: MAX_PRICE,
        },
      },
    });
    stage.say(
      `A car is plugged in. It needs ${TARGET_KWH} kWh by ${timeText(DEADLINE_MS)}, at up to ${MAX_PRICE} EUR/kWh.`,
    );
    const { market, sites } = await openNeighbourhood(stage, {
      intervalMs: INTERVAL_MS,
      // The grid sells the first 4 kW at 0.08 and up to 20 kW at 0.14.
      market: {
        external: {
          points: [
            { price: 0.06, powerKW: 0 },
            { price: 0.08, powerKW: 4 },
            { price: 0.14, powerKW: 20 },
          ],
        },
      },
      sites: [{ id: "home", devices: [ev] }],
    });
    const startKWh = ev.car.meter.importKWh;
    let seen = 0;
    while (stage.clock.now() < DEADLINE_MS + INTERVAL_MS / 2) {
      await stage.pass(INTERVAL_MS / 5);
      const rounds = await tradedRounds(market);
      for (const { result, orders } of rounds.slice(seen)) {
        const order = orders[0];
        if (order === undefined) continue;
        stage.say(
          `Cleared at ${result.pricePerKWh?.toFixed(4)} EUR/kWh: from ${timeText(order.startMs)} the car is to draw ${(-order.powerKW).toFixed(2)} kW${-order.powerKW < LEAST_KW ? ", which is all that it still needs, and less than its 6 A" : ""}.`,
        );
      }
      seen = rounds.length;
    }
    ev.powerKW();
    const deliveredKWh = ev.car.meter.importKWh - startKWh;
    stage.say(`The deadline has passed. The car's meter rose by ${deliveredKWh.toFixed(2)} kWh.`);

    const rounds = await tradedRounds(market);
    stage.table(
      "What the market cleared",
      ["interval", "price EUR/kWh", "car kW", "status"],
      rounds.map(({ startMs, result, orders }) => [
        timeText(startMs),
        (result.pricePerKWh ?? 0).toFixed(4),
        (orders[0]?.powerKW ?? 0).toFixed(3),
        result.status,
      ]),
    );
    checkRounds(stage, rounds);
    stage.check(
      "the car has its energy by the deadline",
      deliveredKWh >= TARGET_KWH * 0.97 && deliveredKWh <= TARGET_KWH * 1.1,
      `${deliveredKWh.toFixed(2)} of ${TARGET_KWH} kWh`,
    );
    const device = sites.get("home")?.status().devices[0];
    stage.check(
      "the meter proves the setpoints",
      (device?.verdicts.effective ?? 0) > 0 && (device?.verdicts.ignored ?? 0) === 0,
      `${device?.verdicts.effective ?? 0} effective, ${device?.verdicts.ignored ?? 0} ignored of ${device?.setpoints ?? 0}`,
    );
    return stage.report(evDemandFlexibility.name, evDemandFlexibility.title);
  },
};
