import { expect, test } from "vitest";
import { quickCar } from "../support/charger-story.ts";
import { Site, windowFor } from "../support/site.ts";
import { waitFor } from "../support/wait-for.ts";

const CAR = { maxChargeKW: 11, maxDischargeKW: 10 };

test.each([
  ["1.6", "OCPP 1.6 cannot discharge"],
  ["2.0.1", "OCPP 2.0.1 cannot discharge"],
] as const)(
  "over OCPP %s a generation is a NACK that says why, and nothing reaches the charger",
  async (version, why) => {
    await using site = new Site({
      devices: [{ era: "ev", kind: "charger", ocpp: { identity: "EV", v2g: { maxDischargeKW: 10 } } }],
    });
    await site.start();
    const charger = await site.charger({ identity: "EV", version, phases: 3, maxA: 16, car: quickCar(CAR) });
    await waitFor("the charger's version to be known", () => site.device("ev").protocol === `ocpp${version}`);
    await waitFor("the car to charge freely", () => charger.powerKW() < -10);
    const answer = await site.send(site.onConfirm({ era: "ev", setpointKW: 5, ...windowFor(30) }));
    expect(answer.body).toContain("NACK");
    expect(answer.body).toContain("SETPOINT_IMPOSSIBLE");
    expect(answer.body).toContain(why);
    expect(site.device("ev").setpoints).toBe(0);
    expect(charger.profilesReceived).toEqual([]);
  },
);

test("over OCPP 2.1 it is a NACK until a car is there that can, and an ACK from then on", async () => {
  await using site = new Site({
    devices: [{ era: "ev", kind: "charger", ocpp: { identity: "EV", settleS: 2, v2g: { maxDischargeKW: 10 } } }],
  });
  await site.start();
  const discharge = () => site.send(site.onConfirm({ era: "ev", setpointKW: 5, ...windowFor(30) }));
  const charger = await site.charger({ identity: "EV", version: "2.1", phases: 3, maxA: 16, car: quickCar(CAR) });
  await waitFor("the car to be known", () => (site.device("ev").maxPowerKW ?? 0) > 0);
  expect((await discharge()).body).toContain('"ACK"');
  await waitFor("the car to give", () => Math.abs(charger.powerKW() - 5) < 0.1);
  await charger.unplug();
  await waitFor("the car to be gone", () => site.device("ev").maxPowerKW === 0);
  expect((await discharge()).body).toContain("no car that can give energy back is connected");
});
