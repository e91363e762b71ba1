import { afterEach, expect, test } from "vitest";
import { Site, windowFor } from "../support/site.ts";
import { waitFor } from "../support/wait-for.ts";

let site: Site;
afterEach(() => site[Symbol.asyncDispose]());

const devices = [{ era: "ev", kind: "charger", ocpp: { identity: "EV", phases: 1, maxA: 32, settleS: 2 } }];

test("the same message after a restart gets the same answer and no second command", async () => {
  site = new Site({ devices });
  await site.start();
  const charger = await site.charger({ identity: "EV" });
  const message = JSON.stringify(site.onConfirm({ era: "ev", setpointKW: -3, ...windowFor(60) }));
  const first = await site.send(message);
  await waitFor("the car to follow", () => Math.abs(charger.powerKW() + 3) < 0.1);
  await site.stop();
  await site.start();
  // The setpoint's window goes on, so the gateway takes it up again by itself.
  await waitFor("the setpoint to be taken up again", () => site.device("ev").appliedKW !== undefined);
  const commands = charger.profilesReceived.length;
  expect(await site.send(message)).toEqual(first);
  expect(await site.send(message)).toEqual(first);
  await new Promise((resolve) => setTimeout(resolve, 500));
  expect(charger.profilesReceived.length).toBe(commands);
  expect(site.device("ev").setpoints).toBe(1);
});

test("the same id with another body is refused, and changes nothing", async () => {
  site = new Site({ devices });
  await site.start();
  const charger = await site.charger({ identity: "EV" });
  const message = site.onConfirm({ era: "ev", setpointKW: -3, ...windowFor(60) }, { messageId: "m-1" });
  await site.send(message);
  await waitFor("the car to follow", () => Math.abs(charger.powerKW() + 3) < 0.1);
  message.message.order["beckn:orderAttributes"] = {
    "@type": "EnergyOrder",
    clearingPrice: 0.01,
    setpointKW: -7,
  } as never;
  const answer = await site.send(message);
  expect(answer.status).toBe(409);
  expect(JSON.parse(answer.body).message).toMatchObject({
    ack: { status: "NACK" },
    error: { code: "MESSAGE_CONFLICT" },
  });
  expect(site.device("ev").orderedKW).toBe(-3);
});

test("a setpoint that ended while the gateway was down is not replayed, only told", async () => {
  site = new Site({ devices });
  await site.start();
  await site.send(site.onConfirm({ era: "ev", setpointKW: -3, ...windowFor(2) }));
  await site.stop();
  await new Promise((resolve) => setTimeout(resolve, 2_200));
  await site.start();
  const charger = await site.charger({ identity: "EV" });
  await waitFor("the car to charge freely", () => charger.powerKW() < -7);
  expect(site.device("ev").orderedKW).toBeUndefined();
  const { setpoints } = (await (await fetch(`${site.address("api")}/setpoints`)).json()) as {
    setpoints: { judgement?: { final: boolean; verdict: string } }[];
  };
  expect(setpoints[0]?.judgement).toMatchObject({ final: true, verdict: "expired" });
});
