import { createSocket } from "node:dgram";
import { afterEach, describe, expect, test } from "vitest";
import { coap } from "../../adapters/coap/index.ts";
import { CoapSimulator } from "../../simulators/coap/coap-simulator.ts";
import { ShellyMeter } from "../../simulators/coap/shelly-meter.ts";
import { StatusAnnouncer } from "../../simulators/coap/status-announcer.ts";
import { systemClock as clock } from "../../src/clock.ts";
import { silentLog as log } from "../../src/log.ts";
import type { Report } from "../../src/model/adapter.ts";
import { volatileMemory } from "../support/volatile-memory.ts";
import { waitFor } from "../support/wait-for.ts";

const GROUP = "224.0.1.187";
const SHELLY = "SHEM#B9E9C6#2";
const stack: AsyncDisposable[] = [];
let stop = new AbortController();

afterEach(async () => {
  stop.abort(new Error("test over"));
  for (const one of stack.splice(0).reverse()) await one[Symbol.asyncDispose]();
  stop = new AbortController();
});

/** A meter that is asked once a minute at most, so that what comes sooner was said unasked. */
async function listeningGateway(house: { powerKW: number }, more: { coiotId?: string; pollMs?: number } = {}) {
  const device = new ShellyMeter(clock, { channels: 1, powerKW: () => house.powerKW });
  const simulator = new CoapSimulator(device, { clock, log });
  const { host, port } = await simulator.listen();
  const gateway = coap.createHost(coap.sharedSchema.parse({ coiot: { port: 0, interface: "127.0.0.1" } }), {
    clock,
    log,
    random: Math.random,
    memory: volatileMemory(),
  });
  const config = coap.deviceSchema.parse({
    profile: "shelly-em",
    host,
    port,
    pollMs: 60_000,
    deadlineMs: 500,
    ...more,
  });
  const adapter = gateway.adapter({ era: "meter", kind: "load" }, config);
  stack.push(simulator, gateway);
  await gateway.start(stop.signal);
  const reports: Report[] = [];
  void (async () => {
    for await (const report of adapter.reports(stop.signal)) reports.push(report);
  })();
  await adapter.start(stop.signal);
  const heardOn = Number(/:(\d+)$/.exec(gateway.addresses()["coiot"] ?? "")?.[1]);
  const powers = () => reports.flatMap((report) => (report.kind === "reading" ? [report.reading.powerKW] : []));
  await waitFor("the first reading, which was asked for", () => powers().length === 1);
  const announce = async (to: { host: string; port: number }, deviceId = SHELLY, from = host) => {
    const announcer = new StatusAnnouncer(device, clock, { from, to, deviceId, lookMs: 20 });
    stack.push(announcer);
    await announcer.start();
    return announcer;
  };
  return { heardOn, powers, reports, announce, simulator };
}

describe("a Shelly that speaks unasked", () => {
  test.each([
    ["to a group", GROUP],
    ["to the gateway that it was told", "127.0.0.1"],
  ])("%s is heard at once", async (_, host) => {
    const house = { powerKW: -1.5 };
    const { heardOn, powers, announce } = await listeningGateway(house);
    await announce({ host, port: heardOn });
    await waitFor("its status", () => powers().length === 2);
    house.powerKW = 0.8;
    await waitFor("the change", () => powers().at(-1) === 0.8);
    expect(powers()).toEqual([-1.5, -1.5, 0.8]);
  });

  test("is known by its own id where one is configured, and another one is not taken for it", async () => {
    const house = { powerKW: -1.5 };
    const { heardOn, powers, announce } = await listeningGateway(house, { coiotId: "SHEM#B9E9C6" });
    await announce({ host: "127.0.0.1", port: heardOn }, "SHEM#B9E9C7#2");
    await clock.sleep(300);
    expect(powers()).toHaveLength(1);
    await announce({ host: "127.0.0.1", port: heardOn });
    await waitFor("its status", () => powers().length === 2);
  });

  test.skipIf(process.platform !== "linux")("from another address than the device's is somebody else", async () => {
    const { heardOn, powers, announce } = await listeningGateway({ powerKW: -1.5 });
    await announce({ host: "127.0.0.1", port: heardOn }, SHELLY, "127.0.0.2");
    await clock.sleep(300);
    expect(powers()).toHaveLength(1);
    // Unless it is known by its id: it may be behind a repeater.
    const known = await listeningGateway({ powerKW: -1.5 }, { coiotId: "SHEM#B9E9C6" });
    await known.announce({ host: "127.0.0.1", port: known.heardOn }, SHELLY, "127.0.0.2");
    await waitFor("its status", () => known.powers().length === 2);
  });

  test("is not asked for what it has just said, and is asked again when it says no more", async () => {
    const { heardOn, powers, reports, announce, simulator } = await listeningGateway(
      { powerKW: -1.5 },
      { pollMs: 600 },
    );
    const announcer = await announce({ host: "127.0.0.1", port: heardOn });
    await waitFor("its status", () => powers().length > 1);
    const isAway = () => reports.some((report) => report.kind === "link" && !report.up);
    // Whatever it is asked now ends in a timeout.
    simulator.behaviour.silent = true;
    await clock.sleep(2500);
    expect(isAway()).toBe(false);
    await announcer[Symbol.asyncDispose]();
    await waitFor("the gateway to ask", isAway);
  });

  test("says what makes no sense, and somebody else says it is him: the link stays as it is", async () => {
    const house = { powerKW: -1.5 };
    const { heardOn, powers, reports } = await listeningGateway(house);
    const socket = createSocket("udp4");
    const status = (path: string, payload: string) => {
      const id = Buffer.from(SHELLY);
      // 3332 is 3321 after 11; 3321 - 269 and a length of 13 in their own bytes.
      const option = Buffer.concat([Buffer.of(0xed, 0x0b, 0xec, id.length - 13), id]);
      const parts = path
        .split("/")
        .map((part, index) => Buffer.concat([Buffer.of(index === 0 ? 0xb3 : 0x01), Buffer.from(part)]));
      return Buffer.concat([Buffer.of(0x50, 30, 0, 1), ...parts, option, Buffer.of(0xff), Buffer.from(payload)]);
    };
    const nonsense = [
      Buffer.from("hello"),
      Buffer.alloc(0),
      Buffer.of(0x50, 30, 0, 1, 0xff),
      status("cit/s", "{"),
      status("cit/s", "[]"),
      status("cit/x", '{"G":[[0,4105,77]]}'),
      Buffer.of(0x50, 30, 0, 1, 0xb3, 0x63),
    ];
    for (const datagram of nonsense) {
      socket.send(datagram, heardOn, "127.0.0.1");
      await clock.sleep(120);
    }
    expect(powers().filter((powerKW) => powerKW !== undefined)).toEqual([-1.5]);
    expect(reports.filter((report) => report.kind === "link" && !report.up)).toEqual([]);
    socket.send(status("cit/s", '{"G":[[0,4105,77]]}'), heardOn, "127.0.0.1");
    await waitFor("a right one", () => powers().at(-1) === -0.077);
    await new Promise<void>((resolve) => socket.close(() => resolve()));
  });

  test("without a pause is listened to now and then", async () => {
    let calls = 0;
    const house = {
      get powerKW() {
        calls += 1;
        return -calls / 1000;
      },
    };
    const { heardOn, powers, announce } = await listeningGateway(house);
    await announce({ host: "127.0.0.1", port: heardOn });
    await clock.sleep(1000);
    expect(calls).toBeGreaterThan(25);
    expect(powers().length).toBeLessThan(14);
  });
});

test("without a word of it in the config nothing is listened to", async () => {
  const gateway = coap.createHost({}, { clock, log, random: Math.random, memory: volatileMemory() });
  stack.push(gateway);
  await gateway.start(stop.signal);
  expect(gateway.addresses()).toEqual({});
});
