import { afterEach, beforeEach, expect, test } from "vitest";
import type { ChargerSimulator } from "../../simulators/charger/charger-simulator.ts";
import { Site, windowFor } from "../support/site.ts";
import { waitFor } from "../support/wait-for.ts";

let site: Site;
let charger: ChargerSimulator;

beforeEach(async () => {
  site = new Site({
    devices: [{ era: "ev-garage", kind: "charger", ocpp: { identity: "GARAGE", phases: 1, maxA: 32, settleS: 2 } }],
  });
  await site.start();
  charger = await site.charger({ identity: "GARAGE" });
  await waitFor("the car to charge freely", () => charger.powerKW() < -7);
});

afterEach(() => site[Symbol.asyncDispose]());

test("on_confirm is acknowledged, the charger follows, and the verdict is effective", async () => {
  const answer = await site.send(site.onConfirm({ era: "ev-garage", setpointKW: -4, ...windowFor(30) }));
  expect(answer).toEqual({ status: 200, body: '{"message":{"ack":{"status":"ACK"}}}' });
  await waitFor("the car to follow", () => Math.abs(charger.powerKW() + 4) < 0.1);
  await waitFor("the verdict", () => site.device("ev-garage").verdict === "effective");
  const device = site.device("ev-garage");
  expect(device).toMatchObject({ orderedKW: -4, clearingPricePerKWh: 0.09, setpoints: 1, protocol: "ocpp1.6" });
  // 17.39 A become 17.3 A: a limit is never exceeded by rounding.
  expect(device.appliedKW).toBeCloseTo(-17.3 * 0.23, 6);
});

test("when it ends and the market is silent, the charger goes back to its own default", async () => {
  await site.send(site.onConfirm({ era: "ev-garage", setpointKW: -2, ...windowFor(4) }));
  await waitFor("the car to follow", () => Math.abs(charger.powerKW() + 2) < 0.1);
  await waitFor("the end of the window", () => site.device("ev-garage").orderedKW === undefined);
  await waitFor("the profile to be gone", () => !charger.hasProfile());
  await waitFor("the car to charge freely again", () => charger.powerKW() < -7);
  const { setpoints } = (await (await fetch(`${site.address("api")}/setpoints`)).json()) as {
    setpoints: { judgement?: { final: boolean; verdict: string } }[];
  };
  expect(setpoints[0]?.judgement).toMatchObject({ final: true, verdict: "effective" });
});

test("a charger that reboots during a setpoint gets it again, and follows again", async () => {
  await site.send(site.onConfirm({ era: "ev-garage", setpointKW: -3, ...windowFor(60) }));
  await waitFor("the car to follow", () => Math.abs(charger.powerKW() + 3) < 0.1);
  const before = charger.profilesReceived.length;
  await charger.reboot();
  await waitFor("the profile to come again", () => charger.profilesReceived.length > before);
  await waitFor("the car to follow again", () => Math.abs(charger.powerKW() + 3) < 0.1);
});

test("a newer setpoint replaces the one before, which keeps the verdict that the meter gave it", async () => {
  await site.send(site.onConfirm({ era: "ev-garage", setpointKW: -3, ...windowFor(60) }, { transactionId: "a" }));
  await waitFor("the first verdict", () => site.device("ev-garage").verdict === "effective");
  await site.send(site.onConfirm({ era: "ev-garage", setpointKW: -5, ...windowFor(60) }, { transactionId: "b" }));
  await waitFor("the car to follow", () => Math.abs(charger.powerKW() + 5) < 0.1);
  await waitFor("the second verdict", () => site.device("ev-garage").verdicts.effective === 2);
});

test("a cancelled order releases the charger at once", async () => {
  const order = site.onConfirm({ era: "ev-garage", setpointKW: -2, ...windowFor(60) }, { transactionId: "t9" });
  await site.send(order);
  await waitFor("the car to follow", () => Math.abs(charger.powerKW() + 2) < 0.1);
  const cancel = site.onConfirm({}, { transactionId: "t9" });
  cancel.context.action = "on_cancel";
  expect((await site.send(cancel, { action: "on_cancel" })).status).toBe(200);
  await waitFor("the car to charge freely again", () => charger.powerKW() < -7);
});

test("the stopped gateway leaves a limit that ends by itself", async () => {
  await site.send(site.onConfirm({ era: "ev-garage", setpointKW: -2, ...windowFor(5) }));
  await waitFor("the car to follow", () => Math.abs(charger.powerKW() + 2) < 0.1);
  await site.stop();
  expect(charger.hasProfile()).toBe(true);
  await waitFor("the limit to end without anybody", () => charger.powerKW() < -7);
});
