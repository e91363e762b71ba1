import { afterEach, expect, test } from "vitest";
import { Site, windowFor } from "../support/site.ts";
import { waitFor } from "../support/wait-for.ts";

let site: Site;
afterEach(() => site[Symbol.asyncDispose]());

/** 6 A on one phase, under which no car charges (IEC 61851-1). */
const LEAST_KW = 6 * 0.23;

async function chargingAt(objective?: object) {
  site = new Site({
    devices: [
      {
        era: "ev",
        kind: "charger",
        ocpp: { identity: "EV", phases: 1, maxA: 32, settleS: 2 },
        ...(objective !== undefined && { objective }),
      },
    ],
  });
  await site.start();
  const charger = await site.charger({ identity: "EV" });
  await waitFor("the car to charge freely", () => charger.powerKW() < -7);
  await site.send(site.onConfirm({ era: "ev", setpointKW: -0.8, ...windowFor(60) }));
  return charger;
}

test("a car that has time left rests when less than 6 A was cleared for it", async () => {
  const charger = await chargingAt({ targetChargeKWh: 1, deadline: new Date(Date.now() + 36e5 * 20).toISOString() });
  await waitFor("the car to rest", () => Math.abs(charger.powerKW()) < 0.05);
  expect(site.device("ev").appliedKW).toBeCloseTo(0, 9);
});

test("a car that has none charges with the 6 A that it needs to charge at all", async () => {
  const charger = await chargingAt({ targetChargeKWh: 30, deadline: new Date(Date.now() + 36e5 * 2).toISOString() });
  await waitFor("the car to charge on", () => Math.abs(charger.powerKW() + LEAST_KW) < 0.05);
  expect(site.device("ev").appliedKW).toBeCloseTo(-LEAST_KW, 6);
});
