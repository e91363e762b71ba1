import type { Scenario } from "../../src/cli/scenario-parts.ts";
import { amountText, minorFromNano, nanoAmount } from "../../src/settlement/money.ts";
import { micro, settledWh, settleSite, showBill } from "./bill.ts";
import { checkProofs, checkRounds, openNeighbourhood, tradedRounds } from "./neighbourhood.ts";
import { carAtCharger } from "./site-devices.ts";
import { Stage, timeText } from "./stage.ts";

const START_MS = Date.UTC(2026, 11, 15, 9, 0);
const INTERVAL_MS = 5 * 60_000;
const SPEED = 120;
const PRICE = 0.18;

/** A session at one price, from the plug to the bill (the seed, 2.1). */
export const evCharging: Scenario = {
  name: "ev-charging",
  title: "A car charges at a fixed price, from the plug to the bill",
  run: async (context) => {
    await using stage = new Stage(context, { speed: SPEED, startAtMs: START_MS });
    const ev = carAtCharger(stage, {
      era: "bay-1",
      phases: 3,
      maxA: 16,
      capacityKWh: 40,
      socPercent: 35,
      config: { prices: { from: 0.3, to: 0.3 } },
    });
    stage.say(
      `A driver plugs in at bay 1. The station sells at ${PRICE} EUR/kWh, and the driver takes what the cable gives.`,
    );
    const neighbourhood = await openNeighbourhood(stage, {
      intervalMs: INTERVAL_MS,
      market: {
        external: {
          points: [
            { price: PRICE, powerKW: 0 },
            { price: PRICE, powerKW: 100 },
          ],
        },
      },
      sites: [{ id: "station", devices: [ev] }],
    });
    const { market, sites } = neighbourhood;
    const startKWh = ev.car.meter.importKWh;
    await stage.until(
      "the first order",
      INTERVAL_MS * 4,
      () => (sites.get("station")?.status().devices[0]?.setpoints ?? 0) > 0,
    );
    stage.say("The order is confirmed, and the charger gets its charging profile with an end.");
    await stage.pass(INTERVAL_MS * 4);
    ev.powerKW();
    const drawnKWh = ev.car.meter.importKWh - startKWh;
    stage.say(`At ${timeText(stage.clock.now())} the driver leaves with ${drawnKWh.toFixed(2)} kWh more.`);
    const rounds = await tradedRounds(market);
    checkRounds(stage, rounds);
    const strangePrices = rounds.filter(({ result }) => Math.abs((result.pricePerKWh ?? 0) - PRICE) > 1e-9);
    stage.check(
      "the price is the station's",
      strangePrices.length === 0,
      `${rounds.length} rounds at ${PRICE} EUR/kWh`,
    );
    checkProofs(stage, sites);

    const driver = { era: "driver", role: "BUYER" };
    const report = await settleSite(stage, neighbourhood, "station", {
      direction: "IMPORT",
      payer: driver,
      flows: [
        { kind: "energy", name: "energyCost", description: "Energy", to: { era: "station", role: "SELLER" } },
        {
          kind: "tax",
          name: "tax",
          description: "Tax, 19 % of the net",
          to: { era: "tax-office", role: "GOVERNMENT" },
          microPercent: 19_000_000n,
          of: "net",
          mode: "EXCLUSIVE",
        },
      ],
    });
    showBill(stage, report, "The driver's bill");
    const energyWh = settledWh(report);
    stage.checkEqual("the bill has the energy that the meter has", energyWh / 1000, drawnKWh, 0.15, "kWh");
    const expectedMinor = report.cycles.reduce((sum, cycle) => {
      const cycleWh = cycle.trade.intervals.reduce((inner, { interval }) => inner + (interval.meteredWh ?? 0), 0);
      return sum + minorFromNano(nanoAmount(cycleWh, micro(PRICE)), "EUR", "HALF_EVEN");
    }, 0n);
    const energyMinor = report.flows
      .filter(({ party }) => party.role === "SELLER")
      .reduce((sum, { amountMinor }) => sum + amountMinor, 0n);
    stage.check(
      "energy × price is the energy's amount, to the cent",
      energyMinor === expectedMinor,
      `${energyWh} Wh at ${PRICE}: ${amountText(energyMinor, "EUR")} EUR`,
    );
    return stage.report(evCharging.name, evCharging.title);
  },
};
