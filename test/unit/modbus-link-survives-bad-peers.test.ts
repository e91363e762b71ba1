import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { ModbusError } from "../../adapters/modbus/link/modbus-error.ts";
import { type Manners, ModbusLink } from "../../adapters/modbus/link/modbus-link.ts";
import { systemClock } from "../../src/clock.ts";
import { silentLog } from "../../src/log.ts";
import { waitFor } from "../support/wait-for.ts";
import { Peer, type Request, reply, send } from "./modbus-tcp-peer.ts";

const manners: Manners = { unit: 1, timeoutMs: 150, gapMs: 0 };
const never = new AbortController().signal;

describe("a link to a peer that misbehaves", () => {
  let peer: Peer;
  let link: ModbusLink;
  let port: number;

  beforeEach(async () => {
    peer = new Peer();
    port = await peer.listen();
    link = new ModbusLink({ host: "127.0.0.1", port }, { clock: systemClock, log: silentLog, random: () => 0 });
  });

  afterEach(async () => {
    await link[Symbol.asyncDispose]();
    await peer.close();
  });

  const fault = async (work: Promise<unknown>): Promise<ModbusError> => {
    const error = await work.then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(ModbusError);
    return error as ModbusError;
  };

  test("a read longer than 125 registers comes in pieces, in order", async () => {
    const registers = await link.read(manners, 1000, 300, never);
    expect(registers).toEqual(Array.from({ length: 300 }, (_, i) => 1000 + i));
    expect(peer.requests.map((request) => request.operand)).toEqual([125, 125, 50]);
  });

  test("requests of all units share one connection and go out one at a time", async () => {
    let open = 0;
    let mostOpen = 0;
    peer.answer = (request) => {
      open += 1;
      mostOpen = Math.max(mostOpen, open);
      setTimeout(() => {
        open -= 1;
        reply(request);
      }, 5);
    };
    const units = [1, 2, 3, 1, 2, 3];
    const answers = await Promise.all(units.map((unit, i) => link.read({ ...manners, unit }, i, 1, never)));
    expect(answers).toEqual([[0], [1], [2], [3], [4], [5]]);
    expect(peer.requests.map((request) => request.unit)).toEqual(units);
    expect(mostOpen).toBe(1);
    expect(peer.connections).toBe(1);
  });

  test("a silent peer is a timeout, and its late answer reaches nobody", async () => {
    const overdue: Request[] = [];
    peer.answer = (request, nth) => (nth === 1 ? overdue.push(request) : reply(request));
    expect((await fault(link.read(manners, 7, 1, never))).fault).toBe("timeout");
    for (const request of overdue) reply(request);
    for (const address of [20, 21, 22]) expect(await link.read(manners, address, 1, never)).toEqual([address]);
    expect(peer.connections).toBe(2);
  });

  test("a reset rejects the request in flight at once, and the next one connects again", async () => {
    const patient = { ...manners, timeoutMs: 20_000 };
    peer.answer = (request, nth) => (nth === 1 ? request.socket.resetAndDestroy() : reply(request));
    expect((await fault(link.read(patient, 7, 1, never))).fault).toBe("closed");
    expect(await link.read(patient, 8, 1, never)).toEqual([8]);
    peer.answer = (request, nth) => (nth === 3 ? request.socket.end() : reply(request));
    expect((await fault(link.read(patient, 9, 1, never))).fault).toBe("closed");
    expect(await link.read(patient, 10, 1, never)).toEqual([10]);
  });

  test("a connection that was reset while idle is noticed, and the caller sees that it is another one", async () => {
    const first = await link.open(manners, never);
    await link.read(manners, 1, 1, never);
    for (const socket of peer.sockets) socket.resetAndDestroy();
    await waitFor("the peer to see it", () => peer.sockets.size === 0);
    await waitFor("a new connection", async () => (await link.open(manners, never)) !== first);
    expect(await link.read(manners, 2, 1, never)).toEqual([2]);
  });

  test.each([
    ["the wrong unit", (request: Request) => send(request, [3, 2, 0, 9], 77)],
    ["too few registers", (request: Request) => send(request, [3, 2, 0, 9])],
    ["a byte count that lies", (request: Request) => send(request, [3, 2, 0, 9, 0, 9])],
    ["another function", (request: Request) => send(request, [4, 4, 0, 9, 0, 9])],
  ])("%s is a format fault, and the next request gets a fresh connection", async (_, nonsense) => {
    peer.answer = (request, nth) => (nth === 1 ? nonsense(request) : reply(request));
    expect((await fault(link.read(manners, 7, 2, never))).fault).toBe("format");
    expect(await link.read(manners, 8, 2, never)).toEqual([8, 9]);
    expect(peer.connections).toBe(2);
  });

  test.each([
    ["bytes that are no Modbus", "HTTP/1.1 400 Bad Request\r\n\r\n"],
    ["an empty frame", "\0\x01\0\0\0\0\0\x01\0\0\0\0"],
    ["a length without an end", "\0\x01\0\0\xff\xff\x01"],
  ])("%s end in a timeout, not in a crash", async (_, bytes) => {
    peer.answer = (request, nth) => {
      if (nth === 1) request.socket.write(bytes, "latin1");
      else reply(request);
    };
    const error = await fault(link.read(manners, 7, 2, never));
    expect(["timeout", "format"]).toContain(error.fault);
    expect(await link.read(manners, 8, 1, never)).toEqual([8]);
  });

  test("an exception is an answer: it has a code and keeps the connection", async () => {
    peer.answer = (request, nth) => (nth === 1 ? send(request, [0x83, 11]) : reply(request));
    expect(await fault(link.read(manners, 7, 1, never))).toMatchObject({ fault: "exception", code: 11 });
    await link.read(manners, 8, 1, never);
    expect(peer.connections).toBe(1);
  });

  test("an echo that confirms something else is a fault", async () => {
    peer.answer = (request) => send(request, [16, request.address >> 8, request.address & 0xff, 0, 99]);
    expect((await fault(link.write(manners, 100, [1, 2], { mayTear: true }, never))).fault).toBe("format");
  });

  test("a value that is no 16-bit number never leaves the house", async () => {
    for (const value of [Number.NaN, 1.7, -5, 70_000]) {
      expect((await fault(link.write(manners, 100, [value], { mayTear: true }, never))).fault).toBe("argument");
    }
    expect((await fault(link.read(manners, 65_535, 2, never))).fault).toBe("argument");
    expect(peer.requests).toHaveLength(0);
  });

  test("a peer without function 16 gets single registers, remembered, but never the halves of a long value", async () => {
    peer.answer = (request) => (request.functionCode === 16 ? send(request, [0x90, 1]) : reply(request));
    await link.write(manners, 100, [5, 6], { mayTear: true }, never);
    await link.write(manners, 110, [7], { mayTear: true }, never);
    expect(peer.requests.map(({ functionCode, address }) => [functionCode, address])).toEqual([
      [16, 100],
      [6, 100],
      [6, 101],
      [6, 110],
    ]);
    const refused = await fault(link.write(manners, 120, [0xffff, 0xec78], { mayTear: false }, never));
    expect(refused.code).toBe(1);
  });

  test("a caller who leaves is let go at once, and the line behind still gets the right answers", async () => {
    peer.answer = (request) => {
      setTimeout(() => reply(request), 60);
    };
    const impatient = new AbortController();
    const left = link.read(manners, 1, 1, impatient.signal);
    const waiting = link.read(manners, 2, 1, impatient.signal);
    const next = link.read(manners, 3, 1, never);
    await waitFor("the first request", () => peer.requests.length === 1);
    impatient.abort(new Error("no longer wanted"));
    await expect(left).rejects.toThrow("no longer wanted");
    await expect(waiting).rejects.toThrow("no longer wanted");
    expect(await next).toEqual([3]);
    expect(peer.requests.map((request) => request.address)).toEqual([1, 3]);
    expect(peer.connections).toBe(1);
  });

  test("the line is bounded", async () => {
    peer.answer = () => {};
    const all = Array.from({ length: 300 }, () => fault(link.read(manners, 1, 1, new AbortController().signal)));
    const busy = await Promise.any(
      all.map(async (each) => {
        const { fault: kind } = await each;
        if (kind !== "busy") throw new Error(kind);
        return kind;
      }),
    );
    expect(busy).toBe("busy");
    await link[Symbol.asyncDispose]();
    await Promise.all(all);
  });

  test("a peer that takes connections and never answers is tried less and less often", async () => {
    peer.answer = (request) => request.socket.destroy();
    const until = performance.now() + 1000;
    let asked = 0;
    while (performance.now() < until) {
      await fault(link.read(manners, 1, 1, never));
      asked += 1;
      await systemClock.sleep(5);
    }
    expect(asked).toBeGreaterThan(peer.connections);
    expect(peer.connections).toBeLessThanOrEqual(8);
  });

  test("a closed link leaves no socket, rejects what waits and takes nothing new", async () => {
    peer.answer = () => {};
    const pending = fault(link.read({ ...manners, timeoutMs: 20_000 }, 1, 1, never));
    await waitFor("the request", () => peer.requests.length === 1);
    await link[Symbol.asyncDispose]();
    expect((await pending).fault).toBe("closed");
    await waitFor("the socket to go", () => peer.sockets.size === 0);
    expect((await fault(link.read(manners, 1, 1, never))).fault).toBe("closed");
  });

  test("nobody at the port is said at once, with where it was", async () => {
    await peer.close();
    const error = await fault(link.read(manners, 1, 1, never));
    expect(error.fault).toBe("closed");
    expect(error.message).toContain(`127.0.0.1:${port}`);
    peer = new Peer();
    await peer.listen();
  });
});
