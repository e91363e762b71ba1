import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { adapters } from "../../adapters/index.ts";
import { type CommandContext, OperationError } from "../../adapters/kind.ts";
import { modbus } from "../../adapters/modbus/index.ts";
import { systemClock } from "../../src/clock.ts";
import { parseConfig } from "../../src/config/load.ts";
import { silentLog } from "../../src/log.ts";
import { Peer, type Request, reply, send } from "./modbus-tcp-peer.ts";

const never = new AbortController().signal;

/** A small SunSpec map: common, inverter, immediate controls, end. */
function sunspecMap(serial: string): Map<number, number> {
  const words: number[] = [0x5375, 0x6e53, 1, 66];
  const text = (value: string, registers: number) => {
    const bytes = Buffer.alloc(2 * registers);
    bytes.write(value, "ascii");
    for (let at = 0; at < registers; at++) words.push(bytes.readUInt16BE(2 * at));
  };
  text("ACME", 16);
  text("Sun 5000", 16);
  text("", 8);
  text("1.2", 8);
  text(serial, 16);
  words.push(1, 0x8000);
  words.push(103, 50, ...Array.from({ length: 50 }, (_, index) => index));
  words.push(123, 24, ...Array.from({ length: 24 }, () => 0xffff));
  words.push(0xffff, 0);
  return new Map(words.map((word, index) => [40_000 + index, word]));
}

/** Units with registers; an id that has none is silent, or away behind its gateway. */
class Units {
  readonly registers = new Map<number, Map<number, number>>();
  absent: "silent" | "gateway" = "gateway";
  ignoresWrites = false;
  refuses: number | undefined;
  mostPerRead = 125;

  answer = (request: Request): void => {
    const { unit, functionCode, address, operand } = request;
    const own = this.registers.get(unit);
    if (own === undefined) {
      if (this.absent === "gateway") send(request, [functionCode | 0x80, 0x0b]);
      return;
    }
    const refuse = (code: number) => send(request, [functionCode | 0x80, code]);
    if (functionCode === 3) {
      const values = Array.from({ length: operand }, (_, index) => own.get(address + index));
      if (operand > this.mostPerRead) refuse(3);
      else if (values.some((value) => value === undefined)) refuse(2);
      else send(request, [3, 2 * operand, ...values.flatMap((value = 0) => [value >> 8, value & 0xff])]);
    } else if (functionCode !== 6) refuse(1);
    else if (this.refuses !== undefined) refuse(this.refuses);
    else {
      if (!this.ignoresWrites) own.set(address, operand);
      reply(request);
    }
  };
}

let peer: Peer;
let units: Units;
let target: string;
let folder: string;
let said: string[];

beforeEach(async () => {
  peer = new Peer();
  units = new Units();
  peer.answer = units.answer;
  target = `127.0.0.1:${await peer.listen()}`;
  folder = mkdtempSync(join(tmpdir(), "modbus-tools-"));
  said = [];
});

afterEach(async () => {
  await peer.close();
  rmSync(folder, { recursive: true, force: true });
});

function call(line: string, context: Partial<CommandContext> = {}) {
  const [name, ...words] = line.split(" ");
  const command = modbus.commands?.find((one) => one.name === name);
  if (command === undefined) throw new Error(`no command ${name}`);
  const args: string[] = [];
  const options: Record<string, string | boolean> = {};
  for (let at = 0; at < words.length; at++) {
    const word = words[at] ?? "";
    if (word === "--yes") options["yes"] = true;
    else if (word.startsWith("--")) options[word.slice(2)] = words[++at] ?? "";
    else args.push(word);
  }
  return command.run(
    { args, options },
    {
      clock: systemClock,
      log: silentLog,
      signal: never,
      ask: () => Promise.reject(new Error("there is no daemon")),
      askIfRunning: async () => undefined,
      devices: () => [],
      progress: (text) => said.push(text),
      ...context,
    },
  );
}

async function refusal(work: Promise<unknown>): Promise<OperationError> {
  const error = await work.catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(OperationError);
  return error as OperationError;
}

describe("scan", () => {
  test("finds who is there, says what it is, and proposes lines that a config takes", async () => {
    units.registers.set(1, new Map([[0, 7]]));
    units.registers.set(126, sunspecMap("S-1"));
    const result = await call(`scan ${target} --units 1-3,126`);
    expect(result.table?.rows).toEqual([
      [
        "1",
        "",
        "",
        "exception 2 (illegal data address)",
        "answers, is like no profile: needs one of your own (profileFile)",
      ],
      ["126", "ACME Sun 5000 1.2", "S-1", "1 103 123", "SunSpec inverter, controlled by 123"],
    ]);
    const config = parseConfig(result.text ?? "", "proposed.yaml", adapters);
    expect(config.devices).toHaveLength(1);
    expect(config.devices[0]).toMatchObject({
      era: "acme-sun-5000-s-1",
      kind: "solar",
      modbus: { host: "127.0.0.1", unit: 126 },
    });
    expect(said.at(-1)).toContain("of 4 asked");
    expect(peer.requests.every(({ functionCode }) => functionCode >= 1 && functionCode <= 4)).toBe(true);
  });

  test("a device that answers under any id is one device", async () => {
    const map = sunspecMap("S-1");
    for (const unit of [1, 2, 3, 4, 5]) units.registers.set(unit, map);
    const result = await call(`scan ${target} --units 1-5`);
    expect(result.table?.rows).toHaveLength(1);
    expect(result.table?.rows[0]?.[0]).toBe("1 and 4 more");
  });

  test("a device without a name that answers under more ids than a bus holds is one device too", async () => {
    for (let unit = 1; unit <= 40; unit++) units.registers.set(unit, new Map());
    const result = await call(`scan ${target} --units 1-40`);
    expect(result.table?.rows.map(([unit]) => unit)).toEqual(["1 and 39 more"]);
  });

  test("silent ids do not cost the device that answers its connection", async () => {
    units.absent = "silent";
    units.registers.set(1, sunspecMap("S-1"));
    const result = await call(`scan ${target} --units 1-6 --timeout 40`);
    expect(result.table?.rows).toHaveLength(1);
    expect(peer.connections).toBe(1);
  });

  test("nobody is said with where was looked", async () => {
    const result = await call(`scan ${target} --units 5-9`);
    expect(result.text).toContain(`nobody answers at ${target} under 5 unit ids`);
    expect(result.exitCode).toBe(5);
  });
});

describe("read", () => {
  test("shows both ways to count, the raw words and the value", async () => {
    units.registers.set(
      1,
      new Map([100, 101, 102, 103].map((address, index) => [address, [0xfffe, 0x0102, 0x41c8, 0][index] ?? 0])),
    );
    expect((await call(`read ${target} 100 1 --type i16 --scale 0.1`)).table?.rows).toEqual([
      ["100", "101", "fffe", "-0.2"],
    ]);
    expect((await call(`read ${target} 101 --base 1 --type u16`)).table?.rows).toEqual([
      ["100", "101", "fffe", "65534"],
    ]);
    expect((await call(`read ${target} 0x66 --type f32`)).table?.rows).toEqual([["102", "103", "41c8 0000", "25"]]);
    expect((await call(`read ${target} 100 --type u32 --order CDAB`)).table?.rows[0]?.[3]).toBe(String(0x0102fffe));
    expect((await call(`read ${target} 100 --type u32 --order DCBA`)).table?.rows[0]?.[3]).toBe(String(0x0201feff));
  });

  test("a device that says no, one that is away, and words that mean nothing are told apart", async () => {
    units.registers.set(1, new Map());
    expect(await refusal(call(`read ${target} 5`))).toMatchObject({ reason: "refused" });
    expect(await refusal(call(`read ${target} 5 --unit 9`))).toMatchObject({ reason: "unreachable" });
    expect((await refusal(call(`read ${target} 70000`))).message).toContain("0 to 65535");
    expect((await refusal(call(`read ${target} 5 --order ACBD`))).message).toContain("ABCD, CDAB");
    expect((await refusal(call("read ftp://x 5"))).message).toContain("HOST[:PORT]");
    expect((await refusal(call(`read ${target} 5 --unit 0`))).message).toContain("1 to 255");
  });
});

describe("write", () => {
  test("without --yes nothing is written; with it, what stands there is read back", async () => {
    units.registers.set(1, new Map([[10, 5]]));
    const shown = await call(`write ${target} 10 77`);
    expect(shown).toMatchObject({ exitCode: 2, text: expect.stringContaining("--yes") });
    expect(peer.requests.map(({ functionCode }) => functionCode)).toEqual([3]);
    const done = await call(`write ${target} 10 77 --yes`);
    expect(done).toMatchObject({ exitCode: 0, table: { rows: [["10", "11", "0005 = 5", "004d = 77", "004d = 77"]] } });
    expect(units.registers.get(1)?.get(10)).toBe(77);
  });

  test("a device that accepts and keeps what it had is found out, and one that refuses is said so", async () => {
    units.registers.set(1, new Map([[10, 5]]));
    units.ignoresWrites = true;
    expect(await call(`write ${target} 10 77 --yes`)).toMatchObject({ exitCode: 7 });
    units.refuses = 4;
    const refused = await refusal(call(`write ${target} 10 77 --yes --fc 6`));
    expect(refused).toMatchObject({ reason: "refused", message: expect.stringContaining("exception 4") });
  });

  test("a write that nobody confirms may have happened", async () => {
    units.registers.set(1, new Map([[10, 5]]));
    peer.answer = (request) => (request.functionCode === 3 ? units.answer(request) : undefined);
    const lost = await refusal(call(`write ${target} 10 77 --yes --timeout 60`));
    expect(lost).toMatchObject({ reason: "unreachable", message: expect.stringContaining("not known") });
  });

  test("halves of a long value never go out one by one, and what is no value goes out not at all", async () => {
    units.registers.set(
      1,
      new Map([
        [10, 0],
        [11, 0],
      ]),
    );
    await refusal(call(`write ${target} 10 100000 --type u32 --yes`));
    expect(units.registers.get(1)?.get(10)).toBe(0);
    for (const wrong of ["65536", "1.5", "-1", "", "abc", "NaN"]) {
      expect(await refusal(call(`write ${target} 10 ${wrong} --yes`))).toMatchObject({ reason: "invalid" });
    }
    expect(peer.requests.every(({ functionCode }) => functionCode !== 6)).toBe(true);
  });
});

describe("dump", () => {
  test("the whole SunSpec map is found and kept, with what could not be read as null", async () => {
    const map = sunspecMap("S-1");
    units.registers.set(1, map);
    const hole = 40_000 + 2 + 68 + 20;
    map.delete(hole);
    const file = join(folder, "dump.json");
    const result = await call(`dump ${target} --output ${file}`);
    expect(result.text).toContain("1 not readable");
    const dump = JSON.parse(readFileSync(file, "utf8"));
    expect(dump).toMatchObject({ format: "setpointd-register-dump-1", unit: 1 });
    const [run] = dump.spaces.holding;
    expect(run.address).toBe(40_000);
    expect(run.registers).toEqual(
      Array.from({ length: run.registers.length }, (_, index) => map.get(40_000 + index) ?? null),
    );
    expect(run.registers).toHaveLength(map.size + 1);
  });

  test("ranges of a device without a map, even if it takes short reads only", async () => {
    units.registers.set(3, new Map(Array.from({ length: 50 }, (_, index) => [index, index])));
    units.mostPerRead = 10;
    const result = await call(`dump ${target} --unit 3 --range 0-49,90-99`);
    expect(result.json).toMatchObject({
      spaces: { holding: [{ address: 0, registers: Array.from({ length: 50 }, (_, index) => index) }] },
    });
    expect((await refusal(call(`dump ${target} --unit 3`))).message).toContain("--range");
  });
});

test("with a running daemon the tools use its connection, at the place or by the device's name", async () => {
  units.registers.set(1, sunspecMap("S-1"));
  units.registers.set(2, new Map([[10, 5]]));
  const [host = "", port = ""] = target.split(":");
  const context = { clock: systemClock, log: silentLog, random: Math.random };
  await using gateway = modbus.createHost(
    {},
    { ...context, memory: { get: () => undefined, keys: () => [], set: async () => {}, forget: async () => {} } },
  );
  const part = modbus.deviceSchema.parse({ host, port: Number(port), unit: 2 });
  gateway.adapter({ era: "roof", kind: "solar" }, part);
  const ask = async (operation: string, input?: unknown) =>
    JSON.parse(
      JSON.stringify((await gateway.operations?.[operation]?.(JSON.parse(JSON.stringify(input ?? {})), never)) ?? null),
    );
  const daemon = {
    ask,
    askIfRunning: async (operation: string, input?: unknown) => ({ answer: await ask(operation, input) }),
    devices: () => [{ era: "roof", part }],
  };
  expect((await call("read roof 10", daemon)).json).toMatchObject({
    through: "daemon",
    unit: 2,
    values: [{ value: 5 }],
  });
  expect(await call("write roof 10 6 --yes", daemon)).toMatchObject({ exitCode: 0 });
  expect((await call(`scan ${target} --units 1-3`, daemon)).table?.rows).toHaveLength(2);
  expect(await refusal(call("read roof 11", daemon))).toMatchObject({ reason: "refused" });
  expect(peer.connections).toBe(1);
  const elsewhere = await refusal(call("read 127.0.0.1:1 10", daemon));
  expect(elsewhere.reason).toBe("unreachable");
});
