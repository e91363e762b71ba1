import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { DerSimulator, type DerSimulatorOptions } from "../../simulators/der/der-simulator.ts";
import { Battery } from "../../simulators/world/battery.ts";
import { createRng } from "../../simulators/world/rng.ts";
import { SolarPanel } from "../../simulators/world/solar-panel.ts";
import { Sun } from "../../simulators/world/sun.ts";
import { type Clock, systemClock } from "../../src/clock.ts";
import { silentLog } from "../../src/log.ts";
import { waitFor } from "../support/wait-for.ts";
import { SepServer } from "./der-simulator-server.ts";

const FAST = { deadMs: 20, tauMs: 20 };

describe("the simulated DER polls a server it did not know", () => {
  let server: SepServer;
  let simulator: DerSimulator;

  async function startDevice(options: Partial<DerSimulatorOptions> = {}): Promise<void> {
    const device = await server.pki.issue("device", "battery-1");
    const battery = { capacityKWh: 10, socPercent: 64, maxChargeKW: 4, maxDischargeKW: 5, ...FAST };
    simulator = new DerSimulator({
      url: server.url,
      ...device,
      ca: server.pki.ca,
      source: new Battery(systemClock, battery),
      ratingKW: 5,
      clock: systemClock,
      log: silentLog,
      pollMs: 60,
      postMs: 60,
      ...options,
    });
    server.lfdi = simulator.lfdi;
    await simulator.start();
  }

  const panel = () => new SolarPanel(systemClock, new Sun(systemClock, createRng(3)), { ratingKW: 5, ...FAST });
  const holds = (powerKW: number) => waitFor(`${powerKW} kW`, () => Math.abs(simulator.powerKW() - powerKW) < 0.02);
  const answers = (mRID: string, statuses: readonly number[]) =>
    waitFor(`the responses ${statuses} for ${mRID}`, () => `${server.responses(mRID)}` === `${statuses}`);
  const said = (mRID: string) => simulator.responses.filter(({ subject }) => subject === mRID);
  /** Nothing more comes: two polls have passed. */
  async function polls(count: number): Promise<void> {
    const seen = () => server.requests.filter(({ path }) => path === "/list-a").length;
    const before = seen();
    await waitFor(`${count} more polls`, () => seen() >= before + count);
  }

  beforeEach(async () => {
    server = await SepServer.open();
  });

  afterEach(async () => {
    await simulator[Symbol.asyncDispose]();
    await server[Symbol.asyncDispose]();
  });

  test("it finds itself by links alone, page after page, and says what it can do", async () => {
    server.pageLimit = 1;
    await startDevice();
    await waitFor("status", () => server.bodies("/d/s").length > 0);
    const asked = server.requests.filter(({ path }) => path === "/devices").map(({ query }) => query);
    expect(asked).toEqual(["s=0&l=10", "s=1&l=10", "s=2&l=10"]);
    expect(server.bodies("/d/c")[0]).toContain("<modesSupported>00500080</modesSupported>");
    const watts = (name: string, value: number) =>
      `<${name}><multiplier>0</multiplier><value>${value}</value></${name}>`;
    expect(server.bodies("/d/c")[0]).toContain(watts("rtgMaxChargeRateW", 4000));
    expect(server.bodies("/d/g")[0]).toContain(watts("setMaxW", 5000));
    expect(server.bodies("/d/s")[0]).toMatch(/<stateOfChargeStatus>.*<value>6400<\/value><\/stateOfChargeStatus>/);
    expect(server.requests.every(({ path }) => !path.startsWith("/x1") && !path.startsWith("/x2"))).toBe(true);
  });

  test("it follows an event, tells each step, and goes back by itself at the end", async () => {
    await startDevice();
    server.controls = [server.control({ mRID: "AA01", base: "<opModFixedW>-5000</opModFixedW>", durationS: 2 })];
    await waitFor("control", () => simulator.underControl());
    await holds(-2);
    await waitFor("the meter to count it as import", () => server.lastReading(38, 1) === 2000);
    // From here on the server says nothing any more.
    server.isDead = true;
    await waitFor("the end", () => !simulator.underControl());
    await holds(0);
    server.isDead = false;
    server.closeConnections();
    await answers("AA01", [1, 2, 3]);
    expect(said("AA01").some(({ reason }) => reason !== undefined)).toBe(false);
  });

  test("a newer event takes over from the one before it, and cancelling gives the device back", async () => {
    await startDevice();
    const first = server.control({
      mRID: "AA01",
      base: "<opModTargetW><multiplier>1</multiplier><value>300</value></opModTargetW>",
      creationTimeS: server.nowS() - 9,
    });
    server.controls = [first];
    await holds(3);
    const second = server.control({
      mRID: "AA02",
      base: "<opModFixedW>-10000</opModFixedW>",
      creationTimeS: server.nowS() - 8,
    });
    server.controls = [server.setStatus(first, 4), second];
    await holds(-4);
    await answers("AA01", [1, 2, 7]);
    server.controls = [server.setStatus(first, 4), server.setStatus(second, 2)];
    await waitFor("freedom", () => !simulator.underControl());
    await holds(0);
    await answers("AA02", [1, 2, 6]);
  });

  test("an event that vanishes from the list goes on, and the stronger program wins", async () => {
    await startDevice();
    server.controls = [server.control({ mRID: "AA01", base: "<opModFixedW>2000</opModFixedW>" })];
    await holds(1);
    server.controls = [];
    await polls(3);
    expect(simulator.powerKW()).toBeCloseTo(1, 1);
    server.strongerControls = [
      server.control({ mRID: "BB01", base: "<opModFixedW>4000</opModFixedW>", creationTimeS: 1000 }),
    ];
    await holds(2);
    await answers("AA01", [1, 2, 7]);
    await answers("BB01", [1, 2]);
  });

  test("it lives by the server's clock, and starts a scheduled event on time", async () => {
    server.aheadS = 86_400;
    await startDevice();
    server.controls = [server.control({ mRID: "AA01", base: "<opModFixedW>2000</opModFixedW>", startInS: 2 })];
    await answers("AA01", [1]);
    expect(simulator.underControl()).toBe(false);
    await holds(1);
    await answers("AA01", [1, 2]);
    const stamp = Number(/<createdDateTime>(\d+)</.exec(server.bodies("/answers/here")[0] ?? "")?.[1]);
    expect(Math.abs(stamp - server.nowS())).toBeLessThanOrEqual(3);
  });

  test("a solar inverter takes a control as a limit, shows generation as negative, and keeps its server's default", async () => {
    server.defaultBase = "<opModMaxLimW>4000</opModMaxLimW>";
    await startDevice({ source: panel() });
    await holds(2);
    await waitFor("the meter", () => server.lastReading(38, 1) === -2000);
    expect(server.bodies("/d/c")[0]).toContain("<modesSupported>00100080</modesSupported>");
    expect(simulator.underControl()).toBe(false);
    const both = "<opModFixedW>2000</opModFixedW><opModMaxLimW>3000</opModMaxLimW>";
    server.controls = [server.control({ mRID: "AA01", base: both })];
    await holds(1);
    expect(simulator.underControl()).toBe(true);
    server.controls.push(server.control({ mRID: "AA02", base: "<opModFixedW>-2000</opModFixedW>" }));
    await answers("AA02", [252]);
  });

  test("it answers only what it is asked to answer", async () => {
    await startDevice();
    for (const [responseRequired, expected] of [
      ["00", []],
      ["02", [2, 6]],
      ["01", [1]],
      ["03", [1, 2, 6]],
    ] as const) {
      const mRID = `AA${responseRequired}`;
      const xml = server.control({ mRID, base: "<opModFixedW>2000</opModFixedW>", responseRequired });
      server.controls = [xml];
      await waitFor("control", () => simulator.underControl());
      server.controls = [server.setStatus(xml, 2)];
      await waitFor("freedom", () => !simulator.underControl());
      expect(said(mRID).map(({ status }) => status)).toEqual([1, 2, 6]);
      await answers(mRID, expected);
    }
    await polls(2);
    expect(server.bodies("/answers/here")).toHaveLength(6);
  });

  test("a response that the server refuses is not sent again, one that it lost is", async () => {
    await startDevice();
    const base = "<opModFixedW>2000</opModFixedW>";
    server.overrides.set("/answers/here", { status: 400 });
    server.controls = [server.control({ mRID: "AA01", base })];
    await answers("AA01", [1, 2]);
    server.overrides.set("/answers/here", { status: 503 });
    server.controls.push(server.control({ mRID: "AA02", base, creationTimeS: server.nowS() }));
    await waitFor("a second try", () => server.responses("AA02").length >= 2);
    server.overrides.clear();
    await answers("AA01", [1, 2, 7]);
    await waitFor("the last response", () => server.responses("AA02").at(-1) === 2);
    expect(new Set(server.responses("AA02"))).toEqual(new Set([1, 2]));
  });

  test("a broken control is answered with 253 once, and spoils nothing around it", async () => {
    await startDevice();
    const broken = server.control({ mRID: "AA01", base: "<rampTms>10</rampTms><opModFixedW>2000</opModFixedW>" });
    server.controls = [broken, server.control({ mRID: "AA02", base: "<opModFixedW>2000</opModFixedW>" })];
    await holds(1);
    await polls(3);
    expect(server.responses("AA01")).toEqual([253]);
    expect(said("AA01")).toEqual([
      { subject: "AA01", status: 253, reason: "opModFixedW is out of order in DERControlBase" },
    ]);
  });

  test("the ways to misbehave can be switched on while it runs", async () => {
    await startDevice();
    await waitFor("readings", () => server.bodies("/mirror-7").length > 0);
    const base = "<opModFixedW>2000</opModFixedW>";

    simulator.behaviour.ignoresControls = true;
    server.controls = [server.control({ mRID: "AA01", base })];
    await answers("AA01", [1, 2]);
    expect(simulator.underControl()).toBe(false);
    expect(simulator.powerKW()).toBe(0);
    simulator.behaviour.ignoresControls = false;
    await holds(1);

    simulator.behaviour.rejectsControls = true;
    server.controls.push(server.control({ mRID: "AA02", base, creationTimeS: server.nowS() }));
    await answers("AA02", [252]);
    simulator.behaviour.rejectsControls = false;

    simulator.behaviour.talksNonsense = true;
    await waitFor("nonsense", () => server.bodies("/mirror-7").at(-1)?.endsWith("</sta") === true);
    server.controls.push(server.control({ mRID: "AA03", base, creationTimeS: server.nowS() + 1 }));
    await waitFor("a broken response", () => server.bodies("/answers/here").at(-1)?.endsWith("</sta") === true);
    simulator.behaviour.talksNonsense = false;

    simulator.behaviour.silent = true;
    await waitFor("the last request to end", async () => {
      const before = server.requests.length;
      await systemClock.sleep(250);
      return server.requests.length === before;
    });
    simulator.behaviour.silent = false;
    await polls(2);
  });

  test("it outlasts a server that dies, talks nonsense, or forgets it", async () => {
    await startDevice({ requestMs: 150 });
    server.controls = [server.control({ mRID: "AA01", base: "<opModFixedW>2000</opModFixedW>" })];
    await holds(1);
    const troubles: readonly [string, () => void, () => void][] = [
      ["/", () => (server.isDead = true), () => (server.isDead = false)],
      [
        "/list-a",
        () => server.overrides.set("/list-a", { status: 200, body: "<a", type: "text/html" }),
        () => server.overrides.clear(),
      ],
      ["/start", () => server.overrides.set("/list-a", { status: 404 }), () => server.overrides.clear()],
    ];
    for (const [path, begin, end] of troubles) {
      const asked = () => server.requests.filter((request) => request.path.startsWith(path)).length;
      const before = asked();
      begin();
      await waitFor(`${path} to be asked for again, twice`, () => asked() > before + 1);
      expect(simulator.underControl()).toBe(true);
      end();
      await polls(2);
    }
    server.closeConnections();
    await polls(2);
    const readings = server.bodies("/mirror-7").length;
    await waitFor("readings to come again", () => server.bodies("/mirror-7").length > readings + 3);
    expect(server.responses("AA01")).toEqual([1, 2]);
  });

  test("a server that has another device's number, or does not list it, gets no obedience", async () => {
    await startDevice({ pin: 222228 });
    server.controls = [server.control({ mRID: "AA01", base: "<opModFixedW>2000</opModFixedW>" })];
    const asked = () => server.requests.filter(({ path }) => path === "/x3/reg").length;
    await waitFor("two tries", () => asked() >= 2);
    server.lfdi = "33".repeat(20);
    const tries = () => server.requests.filter(({ path }) => path === "/devices").length;
    const before = tries();
    await waitFor("two more tries", () => tries() >= before + 2);
    expect(server.requests.some(({ path }) => path === "/list-a")).toBe(false);
    expect(said("AA01")).toEqual([]);
  });

  test("closed, it leaves no connection and no timer, even in the middle of a request", async () => {
    let sleeping = 0;
    const clock: Clock = {
      ...systemClock,
      sleep: (ms, signal) => {
        sleeping += 1;
        return systemClock.sleep(ms, signal).finally(() => {
          sleeping -= 1;
        });
      },
    };
    await startDevice({ clock });
    await waitFor("readings", () => server.bodies("/mirror-7").length > 0);
    server.isDead = true;
    const answered = server.requests.length;
    await waitFor("a request that hangs", () => server.requests.length > answered);
    await simulator[Symbol.asyncDispose]();
    await waitFor("no connection", async () => (await server.connections()) === 0);
    expect(sleeping).toBe(0);
    const before = server.requests.length;
    await systemClock.sleep(150);
    expect(server.requests.length).toBe(before);
  });
});
