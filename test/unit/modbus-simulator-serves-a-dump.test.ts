import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { GOOD_MODBUS_BEHAVIOUR } from "../../simulators/modbus/behaviour.ts";
import { DumpSimulator } from "../../simulators/modbus/dump/dump-simulator.ts";
import { DumpError, loadDump } from "../../simulators/modbus/dump/register-dump.ts";
import { silentLog } from "../../src/log.ts";
import { run, start } from "../support/command-line.ts";
import { waitFor } from "../support/wait-for.ts";
import { exceptionOf, HandClock } from "./inverter-simulator-bench.ts";
import { connectTo } from "./modbus-simulator-client.ts";

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "setpointd-dump-"));
});
afterAll(() => rm(folder, { recursive: true }));

async function written(content: unknown): Promise<string> {
  const file = join(folder, `${Math.random()}.json`);
  await writeFile(file, typeof content === "string" ? content : JSON.stringify(content));
  return file;
}

const OURS = {
  format: "setpointd-register-dump-1",
  unit: 3,
  takenAt: "2026-11-28T12:00:00Z",
  spaces: {
    holding: [
      { address: 10, registers: [1, 2, null, 4] },
      { address: 500, registers: [65_535] },
    ],
    input: [{ address: 0, registers: [7] }],
    coil: [{ address: 20, registers: [1, 0, 1] }],
    discrete: [{ address: 8, registers: [true, false] }],
  },
};

async function served(content: unknown) {
  const writes: unknown[] = [];
  const dump = loadDump(await written(content));
  const simulator = new DumpSimulator({
    dump,
    clock: new HandClock(),
    log: silentLog,
    unit: dump.unit ?? 1,
    otherUnit: "exception",
    behaviour: { ...GOOD_MODBUS_BEHAVIOUR },
    random: () => 0,
    onWrite: (write) => writes.push(write),
  });
  const client = await connectTo(await simulator.listen(), { unit: dump.unit ?? 1 });
  return { simulator, client, writes };
}

describe("a dump of all spaces", () => {
  test("reads as it was taken; what could not be read then can't be read now", async () => {
    const { simulator, client } = await served(OURS);
    expect((await client.readHoldingRegisters(10, 2)).data).toEqual([1, 2]);
    expect((await client.readHoldingRegisters(13, 1)).data).toEqual([4]);
    expect((await client.readHoldingRegisters(500, 1)).data).toEqual([65_535]);
    expect(await exceptionOf(client.readHoldingRegisters(11, 2))).toBe(2);
    expect(await exceptionOf(client.readHoldingRegisters(501, 1))).toBe(2);
    expect((await client.readInputRegisters(0, 1)).data).toEqual([7]);
    expect((await client.readCoils(20, 3)).data.slice(0, 3)).toEqual([true, false, true]);
    expect((await client.readDiscreteInputs(8, 2)).data.slice(0, 2)).toEqual([true, false]);
    await client[Symbol.asyncDispose]();
    await simulator[Symbol.asyncDispose]();
  });

  test("takes writes where there is something, tells of them, and refuses them when told to", async () => {
    const { simulator, client, writes } = await served(OURS);
    await client.writeRegisters(10, [8, 9]);
    await client.writeCoils(20, [false, true, true]);
    await client.writeCoil(21, false);
    expect((await client.readHoldingRegisters(10, 2)).data).toEqual([8, 9]);
    expect((await client.readCoils(20, 3)).data.slice(0, 3)).toEqual([false, false, true]);
    expect(await exceptionOf(client.writeRegisters(11, [1, 2]))).toBe(2);
    simulator.behaviour.refuses = true;
    expect(await exceptionOf(client.writeRegister(10, 1))).toBe(3);
    expect(writes).toEqual([
      { address: 10, values: [8, 9], functionCode: 16 },
      { address: 20, values: [0, 1, 1], functionCode: 15 },
      { address: 21, values: [0], functionCode: 5 },
    ]);
    await client[Symbol.asyncDispose]();
    await simulator[Symbol.asyncDispose]();
  });
});

test("a published SunSpec dump is holding registers and nothing else", async () => {
  const { simulator, client } = await served({ base: 40_000, registers: [0x5375, 0x6e53, null] });
  expect((await client.readHoldingRegisters(40_000, 2)).data).toEqual([0x5375, 0x6e53]);
  expect(await exceptionOf(client.readHoldingRegisters(40_000, 3))).toBe(2);
  expect(await exceptionOf(client.readInputRegisters(40_000, 1))).toBe(1);
  await client[Symbol.asyncDispose]();
  await simulator[Symbol.asyncDispose]();
});

test.each([
  ["no JSON", "{", /JSON/],
  ["another format", { format: "else", spaces: {} }, /format/],
  ["a register of 17 bits", { base: 0, registers: [65_536] }, /registers\[0\]/],
])("%s is explained with the file's name", async (_, content, message) => {
  const file = await written(content);
  expect(() => loadDump(file)).toThrow(DumpError);
  expect(() => loadDump(file)).toThrow(message);
  expect(() => loadDump(file)).toThrow(file);
});

describe("as a program", () => {
  test("it serves a dump in its own unit, prints each write, and ends when it is told to", async () => {
    const { child, ended } = start("sim", "modbus", "--dump", await written(OURS), "--port", "0", "--json");
    let out = "";
    child.stdout?.on("data", (chunk) => {
      out += chunk;
    });
    const listening = () => /"listening":"modbus:\/\/([^:]+):(\d+)"/.exec(out);
    await waitFor("the simulator to listen", () => listening() !== null);
    const [, host = "", port] = listening() ?? [];
    const client = await connectTo({ host, port: Number(port) }, { unit: 3 });
    await client.writeRegister(10, 42);
    await waitFor("the write to be told", () => out.includes('"event":"write"'));
    await client[Symbol.asyncDispose]();
    child.kill("SIGTERM");
    const { code } = await ended;
    expect(code).toBe(0);
    const lines = out
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as unknown);
    expect(lines.at(-1)).toMatchObject({ event: "write", address: 10, values: [42], functionCode: 6 });
  });

  test.each([
    [["modbus"], /either --profile or --dump/],
    [["modbus", "--profile", "./nowhere.yaml"], /nowhere\.yaml/],
    [["modbus", "--dump", "/nowhere.json"], /nowhere\.json/],
    [["meter", "--models", "103"], /a meter has no model 103/],
    [["inverter", "--fault", "silent"], /no fault "silent"/],
    [["battery", "--unit", "0.5"], /--unit must be from 1 to 255/],
  ])("wrong use of sim %j is explained and ends with 2", async (args, message) => {
    const { code, stderr } = await run("sim", ...args, "--port", "0", "--for", "1");
    expect(code).toBe(2);
    expect(stderr).toMatch(message);
  });

  test("a meter and a battery end by themselves after --for", async () => {
    const [meter, battery] = await Promise.all([
      run("sim", "meter", "--port", "0", "--for", "0.2"),
      run("sim", "battery", "--models", "1,701-704,802", "--framing", "rtu", "--port", "0", "--for", "0.2"),
    ]);
    expect(meter).toMatchObject({ code: 0, stdout: expect.stringMatching(/^meter simulator: modbus:\/\/127/) });
    expect(battery).toMatchObject({ code: 0, stdout: expect.stringMatching(/^battery simulator: modbus-rtu:\/\/127/) });
  });
});
