import { afterEach, describe, expect, test } from "vitest";
import { coap } from "../../adapters/coap/index.ts";
import { CoapSimulator } from "../../simulators/coap/coap-simulator.ts";
import { DimmableLoad } from "../../simulators/coap/dimmable-load.ts";
import type { SimDevice } from "../../simulators/coap/resource.ts";
import { ShellyMeter } from "../../simulators/coap/shelly-meter.ts";
import { systemClock as clock } from "../../src/clock.ts";
import { silentLog as log } from "../../src/log.ts";
import type { Adapter, Report } from "../../src/model/adapter.ts";
import type { Reading } from "../../src/model/reading.ts";
import { volatileMemory } from "../support/volatile-memory.ts";
import { waitFor } from "../support/wait-for.ts";

const stack: AsyncDisposable[] = [];
let stop = new AbortController();

afterEach(async () => {
  stop.abort(new Error("test over"));
  for (const one of stack.splice(0).reverse()) await one[Symbol.asyncDispose]();
  stop = new AbortController();
});

async function meter(device: SimDevice, profile: string, kind: "load" | "solar" = "load") {
  const simulator = new CoapSimulator(device, { clock, log });
  const { host, port } = await simulator.listen();
  const gateway = coap.createHost({}, { clock, log, random: Math.random, memory: volatileMemory() });
  const config = coap.deviceSchema.parse({ profile, host, port, pollMs: 100, deadlineMs: 1000 });
  const adapter: Adapter = gateway.adapter({ era: "meter", kind }, config);
  stack.push(simulator, gateway);
  const reports: Report[] = [];
  void (async () => {
    for await (const report of adapter.reports(stop.signal)) reports.push(report);
  })();
  const readings = () => reports.flatMap((report): Reading[] => (report.kind === "reading" ? [report.reading] : []));
  return { simulator, adapter, reports, readings };
}

describe("a Shelly meter of the first generation", () => {
  test("EM: consumption at the point of connection is negative, generation positive", async () => {
    let houseKW = -1.5;
    const { adapter, readings } = await meter(
      new ShellyMeter(clock, { channels: 1, powerKW: () => houseKW }),
      "shelly-em",
    );
    const capability = await adapter.start(stop.signal);
    expect(capability).toMatchObject({ identity: { vendor: "Shelly", model: "Shelly EM" }, failsafe: "none" });
    await waitFor("a reading", () => readings().length > 0);
    expect(readings()[0]).toMatchObject({ powerKW: -1.5, voltageV: 231 });
    expect(readings()[0]?.importKWh).toBeCloseTo(3.25, 2);
    houseKW = 2;
    await waitFor("the sun", () => readings().at(-1)?.powerKW === 2);
  });

  test("3EM: three phases are added, each voltage and current is there", async () => {
    const { adapter, readings } = await meter(new ShellyMeter(clock, { channels: 3, powerKW: () => -3 }), "shelly-3em");
    await adapter.start(stop.signal);
    await waitFor("a reading", () => readings().length > 0);
    expect(readings()[0]).toMatchObject({ powerKW: -3, voltageV: 232, currentA: [4.35, 4.35, 4.35] });
  });

  test("an EM is no 3EM: another device is refused before anything is read from it as if it were", async () => {
    const { adapter } = await meter(new ShellyMeter(clock, { channels: 1, powerKW: () => -1 }), "shelly-plug");
    await expect(adapter.start(stop.signal)).rejects.toMatchObject({ fault: "protocol" });
  });

  test("is not told a power", async () => {
    const { adapter } = await meter(new ShellyMeter(clock, { channels: 1, powerKW: () => -1 }), "shelly-em");
    await adapter.start(stop.signal);
    const target = { setpointId: "s", powerKW: -1, untilMs: Date.now() + 60_000 };
    await expect(adapter.apply(target, stop.signal)).rejects.toMatchObject({ fault: "refused" });
  });
});

describe("a meter with LwM2M objects", () => {
  const heater = () => new DimmableLoad(clock, { ratingKW: 3, deadMs: 10, tauMs: 20 });

  test("says who it is and what it counts", async () => {
    const device = new DimmableLoad(clock, { ratingKW: 3, meterOnly: true, serial: "M-7" });
    const { adapter, readings } = await meter(device, "lwm2m-meter");
    const capability = await adapter.start(stop.signal);
    expect(capability.identity).toEqual({
      vendor: "setpointd",
      model: "simulated heater",
      serial: "M-7",
      firmware: "1.0",
    });
    await waitFor("a reading", () => readings().length > 0);
    expect(readings()[0]).toMatchObject({ powerKW: -2.4, voltageV: 231.5 });
    expect(readings()[0]?.importKWh).toBeCloseTo(12.5, 2);
  });

  test("tells changes by itself: between them nothing is asked, and nothing is made up", async () => {
    const device = heater();
    const { adapter, readings } = await meter(device, "lwm2m-meter");
    await adapter.start(stop.signal);
    await waitFor("the first reading", () => readings().length > 0);
    const before = readings().length;
    await clock.sleep(1000);
    expect(readings().length).toBe(before);
    device.resources.get("/3312/0/5851")?.write?.(Buffer.from("20"));
    await waitFor("the change", () => readings().at(-1)?.powerKW === -0.6);
  });

  test("that tells no changes is asked", async () => {
    const device = heater();
    const { adapter, readings, simulator } = await meter(device, "lwm2m-meter");
    simulator.behaviour.tellsNothing = true;
    await adapter.start(stop.signal);
    device.resources.get("/3312/0/5851")?.write?.(Buffer.from("20"));
    await waitFor("the change", () => readings().at(-1)?.powerKW === -0.6);
    await waitFor("one reading after the other", () => readings().length > 5);
  });

  test("that is another device than the profile's is refused by what it lists", async () => {
    const device = new DimmableLoad(clock, { ratingKW: 3, meterOnly: true });
    const { adapter } = await meter(device, "lwm2m-power-control");
    await expect(adapter.start(stop.signal)).rejects.toThrow("does not list /3312/0");
  });

  test("whose payload makes no sense is away, and comes back when it does", async () => {
    const { adapter, readings, reports, simulator } = await meter(heater(), "lwm2m-meter");
    simulator.behaviour.tellsNothing = true;
    await adapter.start(stop.signal);
    simulator.behaviour.talksNonsense = true;
    await waitFor("the link to be down", () => reports.some((report) => report.kind === "link" && !report.up));
    simulator.behaviour.talksNonsense = false;
    const seen = readings().length;
    await waitFor("readings again", () => readings().length > seen);
  });
});
