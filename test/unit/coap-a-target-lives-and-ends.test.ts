import { afterEach, describe, expect, test } from "vitest";
import { coap } from "../../adapters/coap/index.ts";
import type { AdapterMemory } from "../../adapters/kind.ts";
import { CoapSimulator } from "../../simulators/coap/coap-simulator.ts";
import { DimmableLoad } from "../../simulators/coap/dimmable-load.ts";
import { PlainBattery } from "../../simulators/coap/plain-battery.ts";
import type { SimDevice } from "../../simulators/coap/resource.ts";
import { Battery } from "../../simulators/world/battery.ts";
import { systemClock as clock } from "../../src/clock.ts";
import { silentLog as log } from "../../src/log.ts";
import type { Adapter } from "../../src/model/adapter.ts";
import { volatileMemory } from "../support/volatile-memory.ts";
import { waitFor } from "../support/wait-for.ts";

const signal = new AbortController().signal;
const quick = { deadMs: 10, tauMs: 20 };
const stack: AsyncDisposable[] = [];

afterEach(async () => {
  for (const one of stack.splice(0).reverse()) await one[Symbol.asyncDispose]();
});

const load = () => new DimmableLoad(clock, { ratingKW: 3, ...quick });
const battery = () =>
  new PlainBattery(
    clock,
    new Battery(clock, { capacityKWh: 10, socPercent: 50, maxChargeKW: 5, maxDischargeKW: 5, ...quick }),
  );
const target = (powerKW: number, holdMs: number) => ({ setpointId: "s", powerKW, untilMs: Date.now() + holdMs });

async function simulate(device: SimDevice): Promise<CoapSimulator> {
  const simulator = new CoapSimulator(device, { clock, log });
  await simulator.listen();
  stack.push(simulator);
  return simulator;
}

/** A gateway on its way to a simulator; disposed of by itself it is a gateway that died. */
async function gatewayTo(
  simulator: CoapSimulator,
  profile: string,
  kind: "load" | "battery",
  memory: AdapterMemory = volatileMemory(),
): Promise<Adapter> {
  const gateway = coap.createHost({}, { clock, log, random: Math.random, memory });
  stack.push(gateway);
  const { host, port } = simulator.address();
  const config = coap.deviceSchema.parse({ profile, host, port, pollMs: 100, deadlineMs: 1000, ratingKW: 3 });
  const adapter = gateway.adapter({ era: "dev", kind }, config);
  await adapter.start(signal);
  return adapter;
}

describe("a load that has no timer", () => {
  test("gets back what it held when the target is over", async () => {
    const device = load();
    const adapter = await gatewayTo(await simulate(device), "lwm2m-power-control", "load");
    const acceptance = await adapter.apply(target(-0.91, 1500), signal);
    expect(acceptance).toMatchObject({ endsByItself: false });
    expect(acceptance.appliedKW).toBeCloseTo(-0.9, 6);
    expect(acceptance.command).toBe("PUT /3312/0/5851 dimmer 30 %");
    await waitFor("the heater to follow", () => Math.abs(device.powerKW() + 0.9) < 0.01);
    await waitFor("the heater to be free", () => !device.underControl());
    await waitFor("its own power", () => Math.abs(device.powerKW() + 2.4) < 0.01);
  });

  test("is switched off for 0 kW, and on again for less than all", async () => {
    const device = load();
    const adapter = await gatewayTo(await simulate(device), "lwm2m-power-control", "load");
    expect((await adapter.apply(target(0, 60_000), signal)).command).toContain("onOff false");
    await waitFor("nothing to flow", () => device.powerKW() === 0);
    await adapter.apply(target(-1.5, 60_000), signal);
    await waitFor("half of it", () => Math.abs(device.powerKW() + 1.5) < 0.01);
  });

  test("gets it back also after the gateway died and came again", async () => {
    const device = load();
    const simulator = await simulate(device);
    const memory = volatileMemory();
    const first = await gatewayTo(simulator, "lwm2m-power-control", "load", memory);
    await first.apply(target(-0.9, 60_000), signal);
    await first[Symbol.asyncDispose]();
    expect(device.underControl()).toBe(true);
    const second = await gatewayTo(simulator, "lwm2m-power-control", "load", memory);
    await second.release(signal);
    expect(device.underControl()).toBe(false);
    expect(memory.keys("baseline")).toEqual([]);
  });

  test("that takes an order and does not show it has refused it", async () => {
    const simulator = await simulate(load());
    const adapter = await gatewayTo(simulator, "lwm2m-power-control", "load");
    simulator.behaviour.ignoresWrites = true;
    const fault = adapter.apply(target(-0.9, 60_000), signal);
    await expect(fault).rejects.toMatchObject({ fault: "refused" });
    await expect(fault).rejects.toThrow("took dimmer = 30 and shows 80");
  });

  test("is not asked to generate", async () => {
    const adapter = await gatewayTo(await simulate(load()), "lwm2m-power-control", "load");
    await expect(adapter.apply(target(1, 60_000), signal)).rejects.toMatchObject({ fault: "refused" });
  });
});

describe("a battery with a timer of its own", () => {
  test("ends the order by itself when the gateway is gone", async () => {
    const device = battery();
    const adapter = await gatewayTo(await simulate(device), "plain-der", "battery");
    expect(await adapter.apply(target(-3, 3000), signal)).toMatchObject({ appliedKW: -3, endsByItself: true });
    await adapter[Symbol.asyncDispose]();
    expect(device.underControl()).toBe(true);
    await waitFor("the battery to be free", () => !device.underControl());
  });

  test("that restarted gets its order again", async () => {
    const device = battery();
    const simulator = await simulate(device);
    const adapter = await gatewayTo(simulator, "plain-der", "battery");
    await adapter.apply(target(-3, 60_000), signal);
    device.restart();
    expect(device.underControl()).toBe(false);
    await waitFor("the order to be in force again", () => device.underControl());
  });

  test("says what it can do: rates and capacity are its own, whatever the config says", async () => {
    const adapter = await gatewayTo(await simulate(battery()), "plain-der", "battery");
    expect(await adapter.start(signal)).toMatchObject({
      minPowerKW: -5,
      maxPowerKW: 5,
      capacityKWh: 10,
      control: "setpoint",
      failsafe: "device",
      identity: { vendor: "setpointd", model: "simulated battery", serial: "SIM-1" },
    });
  });
});

const openSockets = () => process.getActiveResourcesInfo().filter((name) => name === "UDPWrap").length;

test("after the end nothing is left open", async () => {
  // The library makes two sockets for itself when it is loaded, which it never opens.
  const before = 2;
  await waitFor("the sockets of the other stories to be closed", () => openSockets() === before);
  const simulator = await simulate(battery());
  const adapter = await gatewayTo(simulator, "plain-der", "battery");
  await adapter.apply(target(-3, 60_000), signal);
  expect(openSockets()).toBeGreaterThan(before);
  await adapter[Symbol.asyncDispose]();
  await simulator[Symbol.asyncDispose]();
  await waitFor("no socket more than before", () => openSockets() === before);
});
