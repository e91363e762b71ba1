import type { Scenario } from "../../src/cli/scenario-parts.ts";
import { Sun } from "../world/sun.ts";
import { micro, settleSite, showBill } from "./bill.ts";
import { checkProofs, checkRounds, openNeighbourhood, tradedRounds } from "./neighbourhood.ts";
import { carAtCharger, solarRoof } from "./site-devices.ts";
import { Stage, timeText } from "./stage.ts";

const START_MS = Date.UTC(2026, 11, 15, 12, 0);
const INTERVAL_MS = 5 * 60_000;
const SPEED = 120;
const ROOF_KW = 3;
const WHEELING = 0.025;

/** One roof sells to one neighbour's car (the seed, 2.3 and 2.8). */
export const p2p: Scenario = {
  name: "p2p",
  title: "A roof sells to the neighbour's car, and the grid is paid for its wires",
  run: async (context) => {
    await using stage = new Stage(context, { speed: SPEED, startAtMs: START_MS });
    const sun = new Sun(stage.clock, stage.rng.fork("sun"), { startHour: 12 });
    const roof = await solarRoof(stage, {
      era: "roof",
      ratingKW: 2 * ROOF_KW,
      sun,
      config: { prices: { from: 0.05, to: 0.05 }, limit: { maxPowerKW: ROOF_KW } },
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
      `Anna's roof may feed in ${ROOF_KW} kW; Ben's car across the street wants up to 7.4 kW. Nobody else trades.`,
    );
    const neighbourhood = await openNeighbourhood(stage, {
      intervalMs: INTERVAL_MS,
      sites: [
        { id: "anna", devices: [roof] },
        { id: "ben", devices: [car] },
      ],
    });
    const { market, sites } = neighbourhood;
    let followed: { roofKW: number; carKW: number } | undefined;
    for (let interval = 0; interval < 5; interval++) {
      await stage.pass(INTERVAL_MS);
      const [roofKW, carKW] = [roof.powerKW(), car.powerKW()];
      if (roofKW < 0.1) continue;
      const isNew = followed === undefined || Math.abs(followed.roofKW - roofKW) > 0.05;
      followed = { roofKW, carKW };
      if (isNew) stage.say(`The roof gives ${roofKW.toFixed(2)} kW and the car takes ${(-carKW).toFixed(2)} kW.`);
    }
    const rounds = (await tradedRounds(market)).filter(({ orders }) => orders.length === 2);
    stage.table(
      "What was cleared",
      ["interval", "price EUR/kWh", "roof kW", "car kW"],
      rounds.map(({ startMs, result, orders }) => [
        timeText(startMs),
        (result.pricePerKWh ?? 0).toFixed(4),
        (orders.find(({ era }) => era === "roof")?.powerKW ?? 0).toFixed(3),
        (orders.find(({ era }) => era === "car")?.powerKW ?? 0).toFixed(3),
      ]),
    );
    checkRounds(stage, rounds);
    stage.checkEqual("what one gives the other takes", followed?.roofKW ?? 0, -(followed?.carKW ?? 0), 0.15, "kW");
    checkProofs(stage, sites);

    const buyer = { era: "car", role: "BUYER" };
    const report = await settleSite(stage, neighbourhood, "ben", {
      direction: "IMPORT",
      payer: buyer,
      flows: [
        {
          kind: "energy",
          name: "energyCost",
          description: "Energy from the roof",
          to: { era: "roof", role: "SELLER" },
        },
        {
          kind: "perKWh",
          name: "wheelingCharges",
          description: "Wheeling charges",
          to: { era: "grid", role: "GRID_OPERATOR" },
          microPerKWh: micro(WHEELING),
        },
      ],
    });
    showBill(stage, report, "Ben's bill");
    await sites.get("anna")?.[Symbol.asyncDispose]();
    const sold = stage.context.host.readMeterLog(stage.folder("anna"), "EXPORT");
    const soldWh = new Map(
      sold.trades
        .filter(({ microPerKWh }) => microPerKWh !== undefined)
        .map(({ startMs, meteredWh = 0 }) => [startMs, meteredWh]),
    );
    const bought = report.cycles.flatMap(({ trade }) => trade.intervals.map(({ interval }) => interval));
    // Of the first order one may have heard a little later than the other.
    const both = bought.filter(({ startMs }) => soldWh.has(startMs));
    const annasWh = both.reduce((sum, { startMs }) => sum + (soldWh.get(startMs) ?? 0), 0);
    const bensWh = both.reduce((sum, { meteredWh = 0 }) => sum + meteredWh, 0);
    stage.check("both meters have priced intervals", both.length > 1, `${both.length} intervals`);
    stage.checkEqual("Anna's meter and Ben's agree", annasWh / 1000, bensWh / 1000, 0.1, "kWh");
    return stage.report(p2p.name, p2p.title);
  },
};
