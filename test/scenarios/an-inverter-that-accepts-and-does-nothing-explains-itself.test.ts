import { afterEach, expect, test } from "vitest";
import { InverterSimulator } from "../../simulators/inverter/inverter-simulator.ts";
import { createRng } from "../../simulators/world/rng.ts";
import { SolarPanel } from "../../simulators/world/solar-panel.ts";
import { Sun } from "../../simulators/world/sun.ts";
import { systemClock as clock } from "../../src/clock.ts";
import { silentLog as log } from "../../src/log.ts";
import { Site, windowFor } from "../support/site.ts";
import { waitFor } from "../support/wait-for.ts";

const open: AsyncDisposable[] = [];
afterEach(async () => {
  for (const each of open.splice(0).reverse()) await each[Symbol.asyncDispose]();
});

async function inverter(ignoresWrites: boolean): Promise<Record<string, unknown>> {
  const source = new SolarPanel(clock, new Sun(clock, createRng(7), { startHour: 12 }), {
    ratingKW: 10,
    deadMs: 50,
    tauMs: 100,
  });
  const device = new InverterSimulator({ kind: "solar", source, map: "der", clock, log, behaviour: { ignoresWrites } });
  open.push(device);
  return { ...(await device.listen()), pollMs: 200, settleS: 1 };
}

test("its registers confirm the limit, its meter does not: told once more, then found out with what it says of itself", async () => {
  const site = new Site({
    devices: [
      { era: "liar", kind: "solar", modbus: await inverter(true) },
      { era: "honest", kind: "solar", modbus: await inverter(false) },
    ],
  });
  open.push(site);
  await site.start();
  await waitFor("both to be measured", () => (site.device("liar").measuredKW ?? 0) > 5);
  await site.send(site.onConfirm({ era: "liar", setpointKW: 2, ...windowFor(60) }, { transactionId: "l" }));
  await site.send(site.onConfirm({ era: "honest", setpointKW: 2, ...windowFor(60) }, { transactionId: "h" }));
  await waitFor("the lie to be found out", () => site.device("liar").verdict === "ignored");
  await waitFor("the honest one to be proven", () => site.device("honest").verdict === "effective");
  const { verdictReason = "" } = site.device("liar");
  expect(verdictReason).toContain("704 says 20.0 %, enabled, falls back in");
  expect(verdictReason).toContain("sent again: 704.WMaxLimPct 20.0 % of 10 kW");
  // Its timer is what it is, whatever its power does.
  expect(site.device("honest")).toMatchObject({
    failsafe: "device",
    failsafeReason: expect.stringContaining("WMaxLimPctRvrtTms"),
  });
});
