import { afterEach, expect, test } from "vitest";
import { Battery } from "../../simulators/world/battery.ts";
import { systemClock } from "../../src/clock.ts";
import { Site, windowFor } from "../support/site.ts";
import { waitFor } from "../support/wait-for.ts";

let site: Site;
afterEach(() => site[Symbol.asyncDispose]());

const deadline = "2099-01-01T00:00:00Z";
const charger = { era: "ev", kind: "charger", ocpp: { identity: "EV", phases: 3, maxA: 500, settleS: 2 } };
/** It takes enough for a register to move within a second. */
const car = () =>
  new Battery(systemClock, {
    capacityKWh: 600,
    socPercent: 10,
    maxChargeKW: 300,
    maxDischargeKW: 0,
    deadMs: 100,
    tauMs: 200,
  });

const deliveredKWh = () => site.device("ev").objective?.deliveredKWh ?? 0;

test("what an objective in the config has got counts on, with what came while the gateway was down", async () => {
  site = new Site({ devices: [{ ...charger, objective: { targetChargeKWh: 40, deadline } }] });
  await site.start();
  const simulator = await site.charger({ identity: "EV", phases: 3, maxA: 500, car: car() });
  await waitFor("half a kWh", () => deliveredKWh() > 0.5, 30_000);
  const beforeKWh = deliveredKWh();
  await site.stop();
  await site.start();
  // Known from the disk, before the charger has said anything.
  expect(deliveredKWh()).toBeGreaterThanOrEqual(beforeKWh);
  await waitFor("the meter", () => deliveredKWh() > beforeKWh, 30_000);
  expect(simulator.powerKW()).toBeLessThan(-100);
  expect(deliveredKWh()).toBeLessThan(beforeKWh + 10);
}, 90_000);

test("an objective that came with an order is still there, and another one in the config begins anew", async () => {
  site = new Site({ devices: [{ ...charger, objective: { targetChargeKWh: 40, deadline } }] });
  await site.start();
  await site.charger({ identity: "EV", phases: 3, maxA: 500, car: car() });
  await waitFor("energy", () => deliveredKWh() > 0.2, 30_000);
  const objectives = { targetChargeKWh: 12, deadline };
  await site.send(site.onConfirm({ era: "ev", setpointKW: -200, objectives, ...windowFor(600) }));
  expect(site.device("ev").objective).toMatchObject({ targetChargeKWh: 12, deliveredKWh: 0 });
  const inEuro = { currency: "EUR", objectives: { targetChargeKWh: 9, maxPricePerKWh: 0.1, deadline } };
  expect(await site.send(site.onConfirm({ era: "ev", setpointKW: -200, ...inEuro, ...windowFor(600) }))).toMatchObject({
    status: 200,
  });
  expect(site.device("ev").objective).toMatchObject({ targetChargeKWh: 12 });
  await waitFor("energy for the order", () => deliveredKWh() > 0.2, 30_000);
  await site.stop();
  await site.start();
  expect(site.device("ev").objective).toMatchObject({ targetChargeKWh: 12 });
  await waitFor("the meter", () => deliveredKWh() > 0.2, 30_000);
  await site.stop();
  site.change({ devices: [{ ...charger, objective: { targetChargeKWh: 30, deadline } }] });
  await site.start();
  expect(site.device("ev").objective).toMatchObject({ targetChargeKWh: 30, deliveredKWh: 0 });
}, 120_000);
