import { createServer } from "node:net";
import { type IServiceVector, ServerTCP } from "modbus-serial";
import { afterEach, describe, expect, test } from "vitest";
import { ModbusLink } from "../../adapters/modbus/link/modbus-link.ts";
import { systemClock as clock } from "../../src/clock.ts";
import { silentLog as log } from "../../src/log.ts";
import { libmodbus, type Peer, pymodbus } from "../support/modbus-peers.ts";

const MANNERS = { unit: 1, timeoutMs: 5000, gapMs: 0 };
const { signal } = new AbortController();

const opened: AsyncDisposable[] = [];
afterEach(async () => {
  for (const each of opened.splice(0).reverse()) await each[Symbol.asyncDispose]();
});

function linkTo(port: number): ModbusLink {
  const link = new ModbusLink({ host: "127.0.0.1", port }, { clock, log, random: () => 0 });
  opened.push(link);
  return link;
}

/** A port that nobody has just now. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  const address = server.address();
  await new Promise((closed) => server.close(closed));
  if (address === null || typeof address === "string") throw new Error("no TCP address");
  return address.port;
}

/** What every server of these tests holds at first. */
const held = (address: number) => (7 * address + 3) & 0xffff;

async function readsAndWrites(link: ModbusLink): Promise<void> {
  expect(await link.read(MANNERS, 10, 3, signal)).toEqual([held(10), held(11), held(12)]);
  // More than fits one answer.
  const many = await link.read(MANNERS, 0, 300, signal);
  expect(many).toEqual(Array.from({ length: 300 }, (_, address) => held(address)));
  await link.write(MANNERS, 20, [1, 65_535, 3], { mayTear: false }, signal);
  await link.write(MANNERS, 30, [42], { mayTear: true }, signal);
  expect(await link.read(MANNERS, 19, 5, signal)).toEqual([held(19), 1, 65_535, 3, held(23)]);
  expect(await link.read(MANNERS, 30, 1, signal)).toEqual([42]);
}

const servers: readonly (readonly [string, Peer, readonly string[]])[] = [
  ["libmodbus", libmodbus, []],
  ["pymodbus", pymodbus, ["tcp"]],
];

for (const [name, peer, args] of servers) {
  describe.skipIf(peer.missing !== "")(`a server on ${name}${peer.missing}`, () => {
    test("is read and written by our link, and its exceptions are understood", async () => {
      const port = await freePort();
      opened.push(await peer.serve(port, ...args));
      const link = linkTo(port);
      // The port may open a moment after the program spoke.
      await expect.poll(() => link.open(MANNERS, signal).catch(() => 0), { timeout: 15_000 }).toBeGreaterThan(0);
      await readsAndWrites(link);
      await expect(link.read(MANNERS, 60_000, 1, signal)).rejects.toMatchObject({ fault: "exception", code: 2 });
    });
  });
}

describe("a server on modbus-serial", () => {
  async function serve(registers: number[]): Promise<number> {
    const port = await freePort();
    const vector: IServiceVector = {
      getHoldingRegister: (address: number) => registers[address] ?? 0,
      getMultipleHoldingRegisters: (address: number, length: number) => registers.slice(address, address + length),
      setRegister: async (address: number, value: number) => {
        registers[address] = value;
      },
    };
    const server = new ServerTCP(vector, { host: "127.0.0.1", port, unitID: 1 });
    server.on("socketError", () => {});
    opened.push({ [Symbol.asyncDispose]: () => new Promise((closed) => server.close(() => closed())) });
    await new Promise<void>((ready) => server.on("initialized", () => ready()));
    return port;
  }

  test("is read and written by our link", async () => {
    const registers = Array.from({ length: 400 }, (_, address) => held(address));
    const link = linkTo(await serve(registers));
    await readsAndWrites(link);
    expect(registers.slice(20, 23)).toEqual([1, 65_535, 3]);
  });

  test("that keeps silent for another unit is given up in time, and answers ours again", async () => {
    const link = linkTo(await serve([5, 6, 7]));
    await expect(link.read({ ...MANNERS, unit: 9, timeoutMs: 200 }, 0, 1, signal)).rejects.toMatchObject({
      fault: "timeout",
    });
    expect(await link.read(MANNERS, 1, 1, signal)).toEqual([6]);
  });
});
