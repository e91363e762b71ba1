import { setMaxListeners } from "node:events";
import { afterEach, beforeEach, expect, test } from "vitest";
import { ModbusError } from "../../adapters/modbus/link/modbus-error.ts";
import { type Manners, ModbusLink } from "../../adapters/modbus/link/modbus-link.ts";
import { UnitStanding } from "../../adapters/modbus/link/unit-standing.ts";
import { systemClock } from "../../src/clock.ts";
import { silentLog } from "../../src/log.ts";
import { waitFor } from "../support/wait-for.ts";
import { Peer, type Request, reply, send } from "./modbus-tcp-peer.ts";

const never = new AbortController().signal;
setMaxListeners(100, never);
const unit = (unit: number, timeoutMs = 100): Manners => ({ unit, timeoutMs, gapMs: 0 });

let peer: Peer;
let link: ModbusLink;

beforeEach(async () => {
  peer = new Peer();
  const port = await peer.listen();
  link = new ModbusLink({ host: "127.0.0.1", port }, { clock: systemClock, log: silentLog, random: () => 1 });
});

afterEach(async () => {
  await link[Symbol.asyncDispose]();
  await peer.close();
});

async function fault(work: Promise<unknown>): Promise<ModbusError> {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(ModbusError);
  return error as ModbusError;
}

const askedOf = (which: number) => peer.requests.filter((request) => request.unit === which).length;

test("a unit that its gateway can't reach rests alone, and comes back", async () => {
  let isAway = true;
  peer.answer = (request) => {
    if (request.unit === 2 && isAway) send(request, [request.functionCode | 0x80, 0x0b]);
    else reply(request);
  };
  const first = await link.open(unit(2), never);
  expect(await fault(link.read(unit(2), 1, 1, never))).toMatchObject({ fault: "exception", code: 11 });
  const resting = await fault(link.read(unit(2), 1, 1, never));
  expect(resting.fault).toBe("resting");
  expect(resting.message).toContain("exception 11");
  expect(await link.read(unit(1), 5, 1, never)).toEqual([5]);
  expect(askedOf(2)).toBe(1);

  // A caller with more patience waits for the unit, and holds up nobody.
  const patient = fault(link.read(unit(2, 5000), 1, 1, never));
  expect(await link.read(unit(1), 6, 1, never)).toEqual([6]);
  expect(await patient).toMatchObject({ fault: "exception", code: 11 });
  isAway = false;
  expect(await link.read(unit(2, 5000), 7, 1, never)).toEqual([7]);
  expect(peer.connections).toBe(1);
  expect(await link.open(unit(2), never)).not.toBe(first);
});

test("a silent unit behind a gateway that answers for others does not cost them the connection", async () => {
  const kept: Request[] = [];
  peer.answer = (request) => {
    if (request.unit === 2) kept.push(request);
    else reply(request);
  };
  await link.read(unit(1), 1, 1, never);
  expect((await fault(link.read(unit(2), 1, 1, never))).fault).toBe("timeout");
  expect(await link.read(unit(1), 2, 1, never)).toEqual([2]);
  expect(peer.connections).toBe(1);
  // Its answer comes while another's is awaited, and is nobody's.
  peer.answer = (request) => {
    for (const late of kept.splice(0)) send(late, [3, 2, 0xde, 0xad]);
    reply(request);
  };
  expect(await link.read(unit(1), 3, 1, never)).toEqual([3]);
  expect(await link.read(unit(2, 5000), 4, 1, never)).toEqual([4]);
  expect(peer.connections).toBe(1);
});

test("a connection that is dead without having said so is found out, although others were well on it before", async () => {
  await link.read(unit(1), 1, 1, never);
  await link.read(unit(2), 1, 1, never);
  peer.answer = (request) => {
    if (peer.connections > 1) reply(request);
  };
  expect((await fault(link.read(unit(1), 1, 1, never))).fault).toBe("timeout");
  expect((await fault(link.read(unit(2), 1, 1, never))).fault).toBe("timeout");
  await waitFor("a new connection", async () => (await link.read(unit(3), 9, 1, never).catch(() => []))[0] === 9);
});

test("all that wait for a gateway that is not there are told together", async () => {
  await peer.close();
  const all = await Promise.all([1, 2, 3, 4].map((one) => fault(link.read(unit(one), 1, 1, never))));
  expect(all.map(({ fault: kind }) => kind)).toEqual(["closed", "closed", "closed", "closed"]);
  expect(new Set(all.map(({ message }) => message)).size).toBe(1);
  peer = new Peer();
  await peer.listen();
});

test("a broadcast is never sent, nor anything to a unit that can't be", async () => {
  for (const wrong of [0, 256, 1.5, Number.NaN]) {
    expect((await fault(link.write(unit(wrong), 1, [1], { mayTear: true }, never))).fault).toBe("argument");
    expect((await fault(link.read(unit(wrong), 1, 1, never))).fault).toBe("argument");
  }
  expect(peer.requests).toHaveLength(0);
});

test("writes go first, fast reads before slow ones, and what waits long enough goes all the same", async () => {
  const waiting: Request[] = [];
  peer.answer = (request) => void waiting.push(request);
  const served: string[] = [];
  const answerOne = async () => {
    await waitFor("a request", () => waiting.length > 0);
    const request = waiting.shift() as Request;
    served.push(request.functionCode === 16 ? "write" : request.address < 100 ? "fast" : "slow");
    reply(request);
  };
  const patient = unit(1, 20_000);
  const all: Promise<unknown>[] = [link.read(patient, 0, 1, never)];
  await waitFor("the first to be on the wire", () => waiting.length === 1);
  for (let each = 0; each < 3; each++) all.push(link.read(patient, 100 + each, 1, never, { priority: "slow" }));
  for (let each = 0; each < 20; each++) all.push(link.read(patient, 1 + each, 1, never, { priority: "fast" }));
  for (let each = 0; each < 2; each++) all.push(link.write(patient, 500, [each], { mayTear: true }, never));
  for (let each = 0; each < 26; each++) await answerOne();
  await Promise.all(all);
  expect(served.slice(0, 4)).toEqual(["fast", "write", "write", "fast"]);
  const firstSlow = served.indexOf("slow");
  expect(firstSlow).toBeGreaterThan(4);
  expect(firstSlow).toBeLessThan(12);
  expect(served.filter((one) => one === "slow")).toHaveLength(3);
  expect(served.lastIndexOf("fast")).toBeGreaterThan(served.indexOf("slow"));
});

test("a function that the device is known to need is the only one tried", async () => {
  await link.write(unit(1), 10, [1, 2], { mayTear: true, fc: 6 }, never);
  peer.answer = (request) => send(request, [request.functionCode | 0x80, 1]);
  expect(await fault(link.write(unit(1), 10, [1], { mayTear: true, fc: 16 }, never))).toMatchObject({ code: 1 });
  expect(await fault(link.write(unit(1), 10, [1, 2], { mayTear: false, fc: 6 }, never))).toMatchObject({
    fault: "argument",
  });
  expect(peer.requests.map(({ functionCode }) => functionCode)).toEqual([6, 6, 16]);
});

test("a write of which nothing came back may have happened, and is told so", async () => {
  peer.answer = (request) => request.socket.resetAndDestroy();
  expect(await fault(link.write(unit(1), 10, [1], { mayTear: true }, never))).toMatchObject({
    fault: "closed",
    outcomeUnknown: true,
  });
  peer.answer = (request) => send(request, [request.functionCode | 0x80, 3]);
  expect(await fault(link.write(unit(1), 10, [1], { mayTear: true }, never))).toMatchObject({
    fault: "exception",
    outcomeUnknown: false,
  });
});

test("the rest doubles up to half a minute, is never in step with others, and ends with an answer", () => {
  const longest = new UnitStanding();
  const shortest = new UnitStanding();
  const rests = Array.from({ length: 9 }, () => {
    longest.failed("silent", 0, () => 1);
    shortest.failed("silent", 0, () => 0);
    return [shortest.restsUntilMs, longest.restsUntilMs];
  });
  expect(rests.map(([, most]) => most)).toEqual([250, 500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]);
  for (const [least = 0, most = 0] of rests) expect(least).toBe(most / 2);
  expect(longest.answered()).toBe(true);
  expect(longest.restsUntilMs).toBe(Number.NEGATIVE_INFINITY);
  longest.failed("silent", 0, () => 1);
  expect(longest.restsUntilMs).toBe(250);
});
