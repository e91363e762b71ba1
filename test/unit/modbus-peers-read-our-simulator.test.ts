import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { InverterSimulator } from "../../simulators/inverter/inverter-simulator.ts";
import { MODEL_IDS } from "../../simulators/inverter/model-catalogue.ts";
import { openPseudoTerminal } from "../../simulators/modbus/serial-line.ts";
import { Battery } from "../../simulators/world/battery.ts";
import { systemClock as clock } from "../../src/clock.ts";
import { silentLog } from "../../src/log.ts";
import { hasSocat, libmodbus, mbpoll, type Peer, pymodbus, pysunspec2 } from "../support/modbus-peers.ts";
import { waitFor } from "../support/wait-for.ts";

const UNIT = 7;
/** WMax of model 121 in the usual chain: 40002 and the models before it. */
const WMAX = 40_000 + 2 + 68 + 52 + 28 + 2;

const opened: AsyncDisposable[] = [];
afterEach(async () => {
  for (const each of opened.splice(0).reverse()) await each[Symbol.asyncDispose]();
});

function battery(models?: readonly number[]): InverterSimulator {
  const source = new Battery(clock, {
    capacityKWh: 10,
    socPercent: 50,
    maxChargeKW: 5,
    maxDischargeKW: 5,
    deadMs: 0,
    tauMs: 1,
  });
  const simulator = new InverterSimulator({
    kind: "battery",
    map: "legacy",
    source,
    clock,
    log: silentLog,
    unit: UNIT,
    ...(models === undefined ? {} : { models: models.map((id) => ({ id })) }),
  });
  opened.push(simulator);
  return simulator;
}

/** A pseudo-terminal with a battery at its other end. */
async function onTerminal(): Promise<{ simulator: InverterSimulator; path: string }> {
  const folder = await mkdtemp(join(tmpdir(), "setpointd-peer-"));
  opened.push({ [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }) });
  const path = join(folder, "ttyBattery");
  const simulator = battery();
  simulator.attach(await openPseudoTerminal(path));
  return { simulator, path };
}

/** What every client must see: the marker, a long read, two ways to write, and exceptions for what is not allowed. */
const COMMANDS = [
  ["read", 40_000, 2],
  ["input", 40_000, 2],
  ["read", 40_000, 125],
  ["one", WMAX, 450],
  ["many", WMAX, 1, 440],
  ["read", WMAX, 1],
  ["read", 9, 1],
  ["one", 40_000, 1],
]
  .flat()
  .map(String);

function checkAnswers(text: string, illegalAddress: RegExp): void {
  const [marker, input, long, one, many, read, outside, readOnly] = text.split("\n");
  expect(marker).toBe(`${0x5375} ${0x6e53}`);
  expect(input).toBe(marker);
  expect(long?.split(" ")).toHaveLength(125);
  expect([one, many, read]).toEqual(["ok", "ok", "440"]);
  expect(outside).toMatch(illegalAddress);
  expect(readOnly).toMatch(illegalAddress);
}

const clients: readonly (readonly [string, Peer, RegExp])[] = [
  ["libmodbus", libmodbus, /error Illegal data address/],
  ["pymodbus", pymodbus, /error 2/],
];

for (const [name, peer, illegalAddress] of clients) {
  describe.skipIf(peer.missing !== "")(`${name}${peer.missing}`, () => {
    test("reads and writes the simulator over Modbus TCP", async () => {
      const simulator = battery();
      const { host, port } = await simulator.listen();
      checkAnswers(await peer.run("tcp", host, String(port), String(UNIT), ...COMMANDS), illegalAddress);
      expect(simulator.writes.map(({ functionCode }) => functionCode)).toEqual([6, 16, 6]);
    });

    test.skipIf(!hasSocat)("and over RTU on a pseudo-terminal", async () => {
      const { path } = await onTerminal();
      checkAnswers(await peer.run("rtu", path, String(UNIT), ...COMMANDS), illegalAddress);
    });
  });
}

describe.skipIf(pymodbus.missing !== "")(`pymodbus${pymodbus.missing}`, () => {
  test("reads and writes the simulator over RTU in a TCP stream", async () => {
    const { host, port } = await battery().listen(0, "127.0.0.1", "rtu");
    checkAnswers(await pymodbus.run("rtu-tcp", host, String(port), String(UNIT), ...COMMANDS), /error 2/);
  });

  test("hears that another unit is away", async () => {
    const { host, port } = await battery().listen();
    expect(await pymodbus.run("tcp", host, String(port), "9", "read", "40000", "2")).toBe("error 11");
  });
});

describe.skipIf(mbpoll.missing !== "")(`mbpoll${mbpoll.missing}`, () => {
  // 0-based addresses, holding registers in hexadecimal, once.
  const READ = ["-0", "-a", String(UNIT), "-r", "40000", "-c", "2", "-t", "4:hex", "-1", "-q"];
  const SHOWN = /\[40000\]:\s+0x5375\s+\[40001\]:\s+0x6E53/;

  test("reads the simulator over Modbus TCP", async () => {
    const { host, port } = await battery().listen();
    expect(await mbpoll.run("-m", "tcp", "-p", String(port), ...READ, host)).toMatch(SHOWN);
  });

  test.skipIf(!hasSocat)("and over RTU on a pseudo-terminal", async () => {
    const { path } = await onTerminal();
    expect(await mbpoll.run("-m", "rtu", "-b", "9600", "-P", "none", ...READ, path)).toMatch(SHOWN);
  });
});

describe.skipIf(pysunspec2.missing !== "")(`pysunspec2${pysunspec2.missing}`, () => {
  interface Scanned {
    readonly id: number;
    readonly length: number;
    readonly points: Readonly<Record<string, number | string | null>>;
  }

  test("finds every model that we have, in the length that it expects, and reads the same battery in each", async () => {
    const simulator = battery(MODEL_IDS);
    const { host, port } = await simulator.listen();
    await waitFor("the battery to give what it gives by itself", () => simulator.powerKW() > 0.29);
    const models = JSON.parse(await pysunspec2.run(host, String(port), String(UNIT))) as Scanned[];
    expect(models.map(({ id }) => id).toSorted((a, b) => a - b)).toEqual(MODEL_IDS);
    const value = (id: number, point: string) => models.find((model) => model.id === id)?.points[point];
    const W = 300;
    for (const id of [101, 102, 103, 111, 112, 113, 701]) expect(value(id, "W")).toBeCloseTo(W, -2);
    // Meters count what is drawn as positive.
    for (const id of [201, 202, 203, 204, 211, 212, 213, 214]) expect(value(id, "W")).toBeCloseTo(-W, -2);
    for (const [id, point] of [
      [713, "SoC"],
      [802, "SoC"],
      [124, "ChaState"],
    ] as const) {
      expect(value(id, point)).toBeCloseTo(50, 0);
    }
    expect(value(120, "WRtg")).toBe(5000);
    expect(value(121, "WMax")).toBe(5000);
    expect(value(702, "WMaxRtg")).toBe(5000);
    expect(value(160, "N")).toBe(2);
    expect(value(160, "2.IDStr")).toBe("Discharge");
    expect(value(714, "1.PrtTyp")).toBe(1);
    expect(value(1, "Mn")).toBe("Simulated");
  });
});
