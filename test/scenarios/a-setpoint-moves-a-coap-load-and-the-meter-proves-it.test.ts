import { afterEach, expect, test } from "vitest";
import { CoapSimulator } from "../../simulators/coap/coap-simulator.ts";
import { DimmableLoad } from "../../simulators/coap/dimmable-load.ts";
import { systemClock as clock } from "../../src/clock.ts";
import { silentLog as log } from "../../src/log.ts";
import { Site, windowFor } from "../support/site.ts";
import { waitFor } from "../support/wait-for.ts";

let site: Site | undefined;
let simulator: CoapSimulator | undefined;

afterEach(async () => {
  await site?.[Symbol.asyncDispose]();
  await simulator?.[Symbol.asyncDispose]();
});

test("a market's setpoint dims a heater behind LwM2M objects, and its end gives it back", async () => {
  const heater = new DimmableLoad(clock, { ratingKW: 3, deadMs: 50, tauMs: 100 });
  simulator = new CoapSimulator(heater, { clock, log });
  // This one tells no changes, so that the proof comes from asking.
  simulator.behaviour.tellsNothing = true;
  const { host, port } = await simulator.listen();
  site = new Site({
    devices: [
      {
        era: "heater",
        kind: "load",
        coap: { profile: "lwm2m-power-control", host, port, ratingKW: 3, pollMs: 300, settleS: 1 },
      },
    ],
  });
  await site.start();
  const started = site;
  await waitFor("the heater to be seen", () => (started.device("heater").measuredKW ?? 0) < -2);
  expect(started.device("heater")).toMatchObject({ protocol: "coap:lwm2m-power-control" });

  await started.send(started.onConfirm({ era: "heater", setpointKW: -0.9, ...windowFor(8) }));
  await waitFor("the heater to follow", () => Math.abs(heater.powerKW() + 0.9) < 0.05);
  await waitFor("the verdict", () => started.device("heater").verdict === "effective");
  await waitFor("the heater to be free", () => !heater.underControl(), 30_000);
});
