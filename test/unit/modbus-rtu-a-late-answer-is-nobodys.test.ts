import { spawnSync } from "node:child_process";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Endpoint } from "../../adapters/modbus/link/endpoint.ts";
import { ModbusError } from "../../adapters/modbus/link/modbus-error.ts";
import { type Manners, ModbusLink } from "../../adapters/modbus/link/modbus-link.ts";
import { systemClock } from "../../src/clock.ts";
import { silentLog } from "../../src/log.ts";
import { waitFor } from "../support/wait-for.ts";
import { RtuPeer, type RtuRequest, rightAnswer, rtuFrame } from "./modbus-rtu-peer.ts";

const hasSocat = spawnSync("socat", ["-V"]).status === 0;
const whyNot = hasSocat ? "" : " (skipped: the Debian package socat is not installed)";

/** For what is to be answered, on a busy machine too. */
const manners: Manners = { unit: 1, timeoutMs: 20_000, gapMs: 0 };
/** For what is not to be answered in time. */
const hasty: Manners = { ...manners, timeoutMs: 300 };
const never = new AbortController().signal;
const LINE = { baudRate: 115_200, parity: "none", stopBits: 1 } as const;

async function fault(work: Promise<unknown>): Promise<ModbusError> {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(ModbusError);
  return error as ModbusError;
}

describe.each([
  [
    "through a TCP bridge",
    true,
    async (peer: RtuPeer): Promise<Endpoint> => ({ ...(await peer.listen()), framing: "rtu" }),
  ],
  [
    `on a serial line${whyNot}`,
    hasSocat,
    async (peer: RtuPeer): Promise<Endpoint> => ({ serial: { path: await peer.asTty(), ...LINE } }),
  ],
])("Modbus RTU %s", (_, isHere, endpointOf) => {
  let peer: RtuPeer;
  let link: ModbusLink;

  beforeEach(async () => {
    if (!isHere) return;
    peer = new RtuPeer();
    link = new ModbusLink(await endpointOf(peer), { clock: systemClock, log: silentLog, random: () => 0 });
  });

  afterEach(async () => {
    if (!isHere) return;
    await link[Symbol.asyncDispose]();
    await peer[Symbol.asyncDispose]();
  });

  test.runIf(isHere)("all tables are read and written, in pieces where one request is too short", async () => {
    expect(await link.read(manners, 1000, 130, never)).toEqual(Array.from({ length: 130 }, (_, i) => 1000 + i));
    expect(await link.read(manners, 7, 2, never, { space: "input" })).toEqual([7, 8]);
    expect(await link.readBits(manners, 0, 3, never)).toEqual([true, false, true]);
    expect(await link.readBits(manners, 0, 9, never, { space: "discrete" })).toHaveLength(9);
    await link.write(manners, 10, [1, 2], { mayTear: false }, never);
    await link.write(manners, 12, [3], { mayTear: true, fc: 6 }, never);
    await link.writeCoils(manners, 20, [true], never);
    await link.writeCoils(manners, 21, [true, false, true], never);
    expect(peer.requests.map(({ functionCode, address, operand }) => [functionCode, address, operand])).toEqual([
      [3, 1000, 125],
      [3, 1125, 5],
      [4, 7, 2],
      [1, 0, 3],
      [2, 0, 9],
      [16, 10, 2],
      [6, 12, 3],
      [5, 20, 0xff00],
      [15, 21, 3],
    ]);
  });

  test.runIf(isHere)("an answer that comes after its time is not the answer to the next read", async () => {
    let overdue: RtuRequest | undefined;
    peer.answer = (request, nth) => {
      if (nth === 1) overdue = request;
      else peer.say(rightAnswer(request));
    };
    expect((await fault(link.read(hasty, 100, 1, never))).fault).toBe("timeout");
    if (overdue !== undefined) peer.say(rightAnswer(overdue));
    for (const address of [200, 300, 400]) expect(await link.read(manners, address, 1, never)).toEqual([address]);
  });

  test.runIf(isHere)("a device that stalls for longer than anybody waits shifts no answer by one", async () => {
    let inTurn = systemClock.sleep(0);
    peer.answer = (request, nth) => {
      // One thing after the other, as a device does it.
      inTurn = inTurn.then(async () => {
        if (nth === 1) await systemClock.sleep(1200);
        peer.say(rightAnswer(request));
        // A moment that a shifted answer would use.
        await systemClock.sleep(5);
      });
    };
    expect((await fault(link.read(hasty, 100, 1, never))).fault).toBe("timeout");
    const seen: number[] = [];
    await waitFor("ten answers", async () => {
      const address = 200 + seen.length;
      const [value] = await link.read(manners, address, 1, never).catch(() => []);
      if (value === undefined) return false;
      expect(value).toBe(address);
      seen.push(value);
      return seen.length === 10;
    });
  });

  test.runIf(isHere)("an answer that never comes leaves nothing behind either", async () => {
    peer.answer = (request, nth) => {
      if (nth > 1) peer.say(rightAnswer(request));
    };
    expect((await fault(link.read(hasty, 100, 1, never))).fault).toBe("timeout");
    for (const address of [200, 300]) {
      await waitFor("the unit to be asked again", async () => {
        const got = await link.read(manners, address, 1, never).catch(() => undefined);
        if (got !== undefined) expect(got).toEqual([address]);
        return got !== undefined;
      });
    }
  });

  test.runIf(isHere)(
    "a write that is confirmed too late has an unknown outcome, and confirms no later write",
    async () => {
      let overdue: RtuRequest | undefined;
      let second: number | undefined;
      peer.answer = (request, nth) => {
        if (nth === 1) overdue = request;
        // The second write never reaches a device.
        else if (request.functionCode === 16) second = request.operand;
      };
      const late = await fault(link.write(hasty, 40, [1000], { mayTear: true }, never));
      expect(late).toMatchObject({ fault: "timeout", outcomeUnknown: true });
      if (overdue !== undefined) peer.say(rightAnswer(overdue));
      const lost = await fault(link.write(hasty, 40, [2000], { mayTear: true }, never));
      expect(second).toBe(1);
      expect(lost).toMatchObject({ fault: "timeout", outcomeUnknown: true });
      expect((await fault(link.read(hasty, 40, 1, never))).outcomeUnknown).toBe(false);
    },
  );

  test.runIf(isHere)("the confirmation of one address confirms no other", async () => {
    peer.answer = (request) => {
      peer.say(rightAnswer({ ...request, address: 41 }));
      if (request.address !== 43) peer.say(rightAnswer(request));
    };
    await link.write(manners, 42, [1, 2], { mayTear: true }, never);
    expect(await fault(link.write(hasty, 43, [1, 2], { mayTear: true }, never))).toMatchObject({
      fault: "timeout",
      outcomeUnknown: true,
    });
  });

  test.runIf(isHere)("what comes while nothing is asked is dropped", async () => {
    expect(await link.read(manners, 1, 1, never)).toEqual([1]);
    peer.say(rtuFrame([1, 3, 2, 0xde, 0xad]));
    await systemClock.sleep(50);
    expect(await link.read(manners, 2, 1, never)).toEqual([2]);
  });

  test.runIf(isHere)("noise before an answer, a broken answer and another unit's are not taken", async () => {
    peer.answer = (request, nth) => {
      const right = rightAnswer(request);
      if (nth === 1) peer.say(Buffer.concat([Buffer.from([0xff, 0x00, 0x01, 0x03]), right]));
      else if (nth === 2) peer.say(Buffer.concat([right.subarray(0, 4), Buffer.from([0x99]), right.subarray(5)]));
      else if (nth === 3) peer.say(rightAnswer({ ...request, unit: 2 }));
      else peer.say(right);
    };
    expect(await link.read(manners, 5, 2, never)).toEqual([5, 6]);
    // Told when the line is silent again, long before its time is over; and the bus is not given up for it.
    const broken = await fault(link.read(manners, 6, 2, never));
    expect(broken.fault).toBe("format");
    expect(broken.message).toContain("damaged answer: 9 bytes");
    expect((await fault(link.read(hasty, 7, 1, never))).fault).toBe("timeout");
    await waitFor("a right answer", async () => (await link.read(manners, 8, 1, never).catch(() => []))[0] === 8);
  });

  test.runIf(isHere)("an answer in single bytes is an answer, and an exception too", async () => {
    peer.answer = (request, nth) => {
      const bytes = nth === 1 ? rightAnswer(request) : rtuFrame([request.unit, request.functionCode | 0x80, 2]);
      for (const [index, byte] of bytes.entries()) setTimeout(() => peer.say(Buffer.from([byte])), index);
    };
    expect(await link.read(manners, 9, 2, never)).toEqual([9, 10]);
    expect(await fault(link.read(manners, 9, 2, never))).toMatchObject({ fault: "exception", code: 2 });
  });

  test.runIf(isHere)("an adapter that hears itself is understood, and its echo confirms no write", async () => {
    peer.echoes = true;
    expect(await link.read(manners, 11, 2, never)).toEqual([11, 12]);
    await link.write(manners, 11, [4, 5], { mayTear: true }, never);
    await link.write(manners, 11, [4], { mayTear: true, fc: 6 }, never);
    peer.answer = () => {};
    expect(await fault(link.write(hasty, 11, [4], { mayTear: true, fc: 6 }, never))).toMatchObject({
      fault: "timeout",
      outcomeUnknown: true,
    });
  });

  test.runIf(isHere)("a unit that is silent costs the others one wait, and then rests", async () => {
    peer.answer = (request) => {
      if (request.unit !== 9) peer.say(rightAnswer(request));
    };
    const away = { ...hasty, unit: 9 };
    await link.read(manners, 1, 1, never);
    expect((await fault(link.read(away, 1, 1, never))).fault).toBe("timeout");
    const resting = await fault(link.read({ ...away, timeoutMs: 20 }, 1, 1, never));
    expect(resting.fault).toBe("resting");
    expect(resting.message).toContain("unit 9");
    expect(await link.read(manners, 2, 1, never)).toEqual([2]);
    expect(peer.requests.filter(({ unit }) => unit === 9)).toHaveLength(1);
  });
});

test.runIf(hasSocat)(
  "a serial line whose plug is pulled is noticed at once, and the port is not left locked",
  async () => {
    await using peer = new RtuPeer();
    const path = await peer.asTty();
    const context = { clock: systemClock, log: silentLog, random: () => 0 };
    await using link = new ModbusLink({ serial: { path, ...LINE } }, context);
    expect(await link.read(manners, 1, 1, never)).toEqual([1]);
    peer.answer = () => void peer.unplug();
    expect((await fault(link.read(manners, 2, 1, never))).fault).toBe("closed");
    expect((await fault(link.read(manners, 2, 1, never))).message).toContain(path);
  },
);

test.runIf(hasSocat)(`a port that another program holds is said so, with what to do${whyNot}`, async () => {
  await using peer = new RtuPeer();
  const path = await peer.asTty();
  const context = { clock: systemClock, log: silentLog, random: () => 0 };
  await using first = new ModbusLink({ serial: { path, ...LINE } }, context);
  expect(await first.read(manners, 1, 1, never)).toEqual([1]);
  await using second = new ModbusLink({ serial: { path, ...LINE } }, context);
  const held = await fault(second.read(manners, 1, 1, never));
  expect(held.fault).toBe("closed");
  expect(held.message).toContain("--config");
});
