import { expect, test } from "vitest";
import { DER_FAULTS, type DerFault } from "../../simulators/der/behaviour.ts";
import { DerSimulator } from "../../simulators/der/der-simulator.ts";
import { lfdiOf } from "../../simulators/der/identity.ts";
import { createPki } from "../../simulators/pki.ts";
import type { Control, Program } from "../../simulators/utility/program-book.ts";
import { Utility } from "../../simulators/utility/utility.ts";
import { type ServedRequest, UtilityServer } from "../../simulators/utility/utility-server.ts";
import { Battery } from "../../simulators/world/battery.ts";
import { systemClock } from "../../src/clock.ts";
import { fastClock } from "../../src/fast-clock.ts";
import { silentLog } from "../../src/log.ts";
import { waitFor } from "../support/wait-for.ts";

/** A utility with one program, and a battery that polls it; a minute passes in a second and a half. */
async function stage(options: { pollS?: number; notifications?: boolean; notAfterMs?: number }) {
  const clock = fastClock(systemClock, 40, systemClock.now());
  const pki = await createPki();
  const { key, cert } = await pki.issue("server", "utility");
  const { pollS = 1 } = options;
  const rates = { dcapS: 900, edevListS: pollS, fsaListS: pollS, derListS: pollS, derpListS: pollS };
  const utility = new Utility({ clock, inBandRegistration: false, rates });
  const program = utility.addProgram({ primacy: 1 });
  const served: ServedRequest[] = [];
  const warnings: string[] = [];
  const server = new UtilityServer({
    utility,
    host: "127.0.0.1",
    port: 0,
    key,
    cert,
    ca: pki.ca,
    clock,
    notificationMs: 400_000,
    onServed: (request) => served.push(request),
  });
  await server.start();
  const device = await pki.issue("device", "battery", options.notAfterMs);
  utility.registerDevice({ lfdi: lfdiOf(device.cert) });
  const battery = new DerSimulator({
    url: server.url,
    ...device,
    ca: pki.ca,
    source: new Battery(clock, { capacityKWh: 50, socPercent: 50, maxChargeKW: 5, maxDischargeKW: 5 }),
    ratingKW: 5,
    clock,
    log: { ...silentLog, warn: (message) => void warnings.push(message) },
    requestMs: 400_000,
    ...(options.notifications && { notifications: { host: "127.0.0.1", port: 0 } }),
  });
  return {
    utility,
    program,
    battery,
    served,
    warnings,
    order: (targetW: number, inS = 0): Control => order(utility, program, targetW, inS),
    responses: () => utility.devices.responses.map(({ status }) => status),
    [Symbol.asyncDispose]: async () => {
      await battery[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}

function order(utility: Utility, program: Program, opModTargetW: number, inS: number): Control {
  return utility.addControl(program, { values: { opModTargetW }, startS: utility.nowS() + inS, durationS: 1200 });
}

async function withFault(fault: DerFault) {
  const scene = await stage({});
  Object.assign(scene.battery.behaviour, DER_FAULTS[fault]);
  await scene.battery.start();
  return scene;
}

test("a battery that ignores says that it started, and does nothing", async () => {
  await using scene = await withFault("ignores");
  scene.order(3000);
  await waitFor("Response 2", () => scene.responses().includes(2));
  expect(scene.battery.powerKW()).toBeCloseTo(0, 1);
});

test("a battery that opts out receives, does not start, and says so only to who asks for it", async () => {
  await using scene = await withFault("opts-out");
  scene.order(3000);
  await waitFor("the opting out", () => scene.battery.responses.some(({ status }) => status === 4));
  await waitFor("Response 1", () => scene.responses().length > 0);
  // The utility asks for 03, which leaves out what a person decided.
  expect(scene.responses()).toEqual([1]);
  expect(scene.battery.powerKW()).toBeCloseTo(0, 1);
});

test("a battery that is late follows in the end", async () => {
  await using scene = await withFault("late");
  const control = scene.order(3000);
  await waitFor("3 kW", () => scene.battery.powerKW() > 2.9);
  const [first] = scene.utility.devices.responses;
  expect(first?.atS).toBeGreaterThanOrEqual(control.creationTimeS + 15);
});

test("a battery whose clock is ahead finds a future event wrong, and the utility reads why", async () => {
  await using scene = await withFault("clock-off");
  scene.order(3000, 300);
  await waitFor("Response 253", () => scene.responses().includes(253));
  expect(scene.battery.responses.at(-1)?.reason).toContain("scheduled though the start has passed");
});

test("nonsense is refused by the utility with 400", async () => {
  await using scene = await withFault("nonsense");
  await waitFor("400", () => scene.served.some(({ method, status }) => method === "PUT" && status === 400));
});

test("a subscriber hears of a control long before its next poll would come", async () => {
  await using scene = await stage({ pollS: 7000, notifications: true });
  await scene.battery.start();
  await waitFor("the subscription", () => scene.utility.subscriptions.subscriptions.length === 1);
  scene.order(-2000);
  await waitFor("2 kW of charging", () => scene.battery.powerKW() < -1.9);
  expect(scene.utility.subscriptions.transmissions.map(({ ok }) => ok)).toEqual([true]);
});

test("with an expired certificate nobody gets in", async () => {
  await using scene = await stage({ notAfterMs: systemClock.now() - 1000 });
  await scene.battery.start();
  await waitFor("three attempts", () => scene.warnings.filter((one) => one === "poll failed").length >= 3);
  expect(scene.served).toEqual([]);
});
