import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { coap } from "../../adapters/coap/index.ts";
import { profileFileOf } from "../../adapters/coap/profile/profile-files.ts";
import type { AdapterMemory } from "../../adapters/kind.ts";
import { CoapSimulator } from "../../simulators/coap/coap-simulator.ts";
import { DimmableLoad } from "../../simulators/coap/dimmable-load.ts";
import type { SimDevice, SimResource } from "../../simulators/coap/resource.ts";
import { systemClock as clock } from "../../src/clock.ts";
import { silentLog as log } from "../../src/log.ts";
import type { Report } from "../../src/model/adapter.ts";
import { volatileMemory } from "../support/volatile-memory.ts";
import { waitFor } from "../support/wait-for.ts";

const signal = new AbortController().signal;
const stack: AsyncDisposable[] = [];

afterEach(async () => {
  for (const one of stack.splice(0).reverse()) await one[Symbol.asyncDispose]();
});

const target = (powerKW: number) => ({ setpointId: "s", powerKW, untilMs: Date.now() + 60_000 });

/** A heater that says which of its resources were written. */
function countingLoad() {
  const load = new DimmableLoad(clock, { ratingKW: 3, deadMs: 10, tauMs: 20 });
  const writes: string[] = [];
  const counted = ([path, resource]: [string, SimResource]): [string, SimResource] => {
    const { write } = resource;
    if (write === undefined) return [path, resource];
    const counting = (payload: Buffer) => {
      writes.push(`${path} ${payload}`);
      write(payload);
    };
    return [path, { ...resource, write: counting }];
  };
  const device: SimDevice = {
    resources: new Map([...load.resources].map(counted)),
    powerKW: () => load.powerKW(),
    underControl: () => load.underControl(),
    restart: () => load.restart(),
  };
  return { device, writes };
}

/** The heater's profile with other words in it. */
function profileWith(from: string, to: string): string {
  const text = readFileSync(profileFileOf("lwm2m-power-control") ?? "", "utf8");
  expect(text).toContain(from);
  const file = join(mkdtempSync(join(tmpdir(), "setpointd-coap-")), "heater.yaml");
  writeFileSync(file, text.replace(from, to));
  return file;
}

async function simulate(device: SimDevice): Promise<CoapSimulator> {
  const simulator = new CoapSimulator(device, { clock, log });
  await simulator.listen();
  stack.push(simulator);
  return simulator;
}

async function gatewayTo(simulator: CoapSimulator, profileFile: string, memory: AdapterMemory = volatileMemory()) {
  const host = coap.createHost({}, { clock, log, random: Math.random, memory });
  stack.push(host);
  const { host: address, port } = simulator.address();
  const config = coap.deviceSchema.parse({
    profileFile,
    host: address,
    port,
    pollMs: 100,
    deadlineMs: 1000,
    ratingKW: 3,
  });
  const adapter = host.adapter({ era: "heater", kind: "load" }, config);
  await adapter.start(signal);
  return { host, adapter };
}

const POLICY = "writePolicy: { cyclic: unknown, maxPerDay: 1000 }";

describe("an actuator that may wear out", () => {
  test("is not ordered more often than its day allows, also not after a restart, and is given back all the same", async () => {
    const { device, writes } = countingLoad();
    const simulator = await simulate(device);
    const memory = volatileMemory();
    const file = profileWith(POLICY, "writePolicy: { cyclic: no, maxPerDay: 6 }");
    const first = await gatewayTo(simulator, file, memory);
    for (const powerKW of [-0.9, -1.2, -1.5]) await first.adapter.apply(target(powerKW), signal);
    await first.host[Symbol.asyncDispose]();

    const { host, adapter } = await gatewayTo(simulator, file, memory);
    await adapter.apply(target(-1.8), signal);
    await expect(adapter.apply(target(-2.1), signal)).rejects.toMatchObject({
      fault: "refused",
      message: expect.stringMatching(/\/3312\/0\/5851 was written 4 times today, and wears out; again from \d{4}-/),
    });
    expect(writes.filter((write) => write.startsWith("/3312/0/5851"))).toHaveLength(4);
    const figures = host.figures?.().map(({ name, samples: [sample] }) => [name, sample?.value]);
    expect(figures).toEqual([
      ["setpointd_coap_resource_writes_total", 1],
      ["setpointd_coap_writes_refused_total", 1],
      ["setpointd_coap_write_budget_used_ratio", 4 / 6],
    ]);
    await adapter.release(signal);
    expect(device.underControl()).toBe(false);
  });

  test("is spared what it shows already, and a change that does not matter", async () => {
    const { device, writes } = countingLoad();
    const file = profileWith(POLICY, "writePolicy: { cyclic: no, maxPerDay: 50, deadbandKW: 0.2 }");
    const { adapter } = await gatewayTo(await simulate(device), file);
    await adapter.apply(target(-0.9), signal);
    // It was on before, and that was not said again.
    expect(writes).toEqual(["/3312/0/5851 30"]);
    expect((await adapter.apply(target(-1), signal)).appliedKW).toBeCloseTo(-0.9, 6);
    expect(writes).toHaveLength(1);
    // Less is always told.
    expect((await adapter.apply(target(-0.84), signal)).appliedKW).toBeCloseTo(-0.84, 6);
    await adapter.apply(target(0), signal);
    expect(writes.slice(1)).toEqual(["/3312/0/5851 28", "/3312/0/5851 0", "/3312/0/5850 0"]);
  });
});

test("a quirk is about the devices that match it, and changes how they are read", async () => {
  const identity = "identity: { vendor: { point: manufacturer }, model: { point: model } }";
  const quirk = (model: string) =>
    profileWith(
      identity,
      `${identity}\nquirks:\n  - { match: { model: "${model}" }, because: counts in kW, patch: { points: { power: { unit: kW } } } }`,
    );
  const powerOf = async (model: string) => {
    const { device } = countingLoad();
    const { adapter } = await gatewayTo(await simulate(device), quirk(model));
    const reports: Report[] = [];
    const stop = new AbortController();
    void (async () => {
      for await (const report of adapter.reports(stop.signal)) reports.push(report);
    })();
    await waitFor("a reading", () => reports.some((report) => report.kind === "reading"));
    stop.abort();
    const [reading] = reports.flatMap((report) => (report.kind === "reading" ? [report.reading] : []));
    return reading?.powerKW;
  };
  expect(await powerOf("Simulated *")).toBeCloseTo(-2400, 0);
  expect(await powerOf("another *")).toBeCloseTo(-2.4, 3);
});
