import { connect, type Socket } from "node:net";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { answerRequest } from "../../simulators/modbus/modbus-request.ts";
import { waitFor } from "../support/wait-for.ts";
import { type Bench, openBench } from "./inverter-simulator-bench.ts";

/** A socket that collects what comes. */
class Peer {
  readonly socket: Socket;
  received = Buffer.alloc(0);
  closed = false;
  error: string | undefined;

  constructor(bench: Bench) {
    this.socket = connect({ host: bench.host, port: bench.port, noDelay: true });
    this.socket.on("data", (chunk: Buffer) => {
      this.received = Buffer.concat([this.received, chunk]);
    });
    this.socket.on("close", () => {
      this.closed = true;
    });
    this.socket.on("error", (error: NodeJS.ErrnoException) => {
      this.error = error.code;
    });
  }

  /** Connected, or reset before it could be. */
  async opened(): Promise<this> {
    await waitFor("the connection", () => !this.socket.connecting || this.closed);
    return this;
  }

  send(...bytes: number[]): void {
    this.socket.write(Buffer.from(bytes));
  }

  async bytes(count: number): Promise<number[]> {
    await waitFor(`${count} bytes`, () => this.received.length >= count, 2000);
    const taken = [...this.received.subarray(0, count)];
    this.received = this.received.subarray(count);
    return taken;
  }
}

const READ_MARKER = [0, 1, 0, 0, 0, 6, 1, 3, 0x9c, 0x40, 0, 2];
const MARKER_ANSWER = [0, 1, 0, 0, 0, 7, 1, 3, 4, 0x53, 0x75, 0x6e, 0x53];

describe("a Modbus TCP peer", () => {
  let bench: Bench;
  let peers: Peer[];

  beforeEach(async () => {
    bench = await openBench("solar");
    peers = [];
  });

  afterEach(async () => {
    for (const { socket } of peers) socket.destroy();
    await bench[Symbol.asyncDispose]();
  });

  const open = async () => {
    const peer = new Peer(bench);
    peers.push(peer);
    return peer.opened();
  };
  /** Sends a PDU to unit 1 and returns the PDU that comes back. */
  const ask = async (pdu: number[], unit = 1) => {
    const peer = await open();
    peer.send(0x12, 0x34, 0, 0, 0, pdu.length + 1, unit, ...pdu);
    const header = await peer.bytes(7);
    expect(header.slice(0, 4)).toEqual([0x12, 0x34, 0, 0]);
    expect(header[6]).toBe(unit);
    const answer = await peer.bytes((header[5] ?? 0) - 1);
    peer.socket.destroy();
    return answer;
  };

  test("a frame that comes byte by byte is answered once it is whole", async () => {
    const peer = await open();
    for (const byte of READ_MARKER) {
      expect(peer.received).toHaveLength(0);
      peer.send(byte);
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(await peer.bytes(MARKER_ANSWER.length)).toEqual(MARKER_ANSWER);
  });

  test("requests glued into one packet are answered in order", async () => {
    const peer = await open();
    const requests = [1, 2, 3].flatMap((transaction) => [0, transaction, ...READ_MARKER.slice(2)]);
    peer.send(...requests, ...READ_MARKER.slice(0, 5));
    const answers = await peer.bytes(3 * MARKER_ANSWER.length);
    expect([answers[1], answers[14], answers[27]]).toEqual([1, 2, 3]);
    peer.send(...READ_MARKER.slice(5));
    expect(await peer.bytes(MARKER_ANSWER.length)).toEqual(MARKER_ANSWER);
  });

  test.each([
    ["another protocol id", [0, 1, 0, 1, 0, 6, 1, 3, 0, 0, 0, 1]],
    ["a length of 0", [0, 1, 0, 0, 0, 0]],
    ["a length of 1, which holds no function", [0, 1, 0, 0, 0, 1, 1]],
    ["a length above 254", [0, 1, 0, 0, 0, 255]],
    ["HTTP", [...Buffer.from("GET / HTTP/1.1\r\n\r\n")]],
  ])("%s ends that connection and no other", async (_, bytes) => {
    const stranger = await open();
    stranger.send(...bytes);
    await waitFor("the connection to end", () => stranger.closed);
    expect(stranger.received).toHaveLength(0);
    expect((await bench.read(1, 0, 1))[0]).toBe(1);
  });

  test("input registers read like holding registers", async () => {
    expect(await ask([4, 0x9c, 0x40, 0, 2])).toEqual([4, 4, 0x53, 0x75, 0x6e, 0x53]);
  });

  test.each([
    ["function 1, which it does not have", [1, 0x9c, 0x40, 0, 1], [0x81, 1]],
    ["function 23, which it does not have", [23, 0, 0, 0, 1, 0, 0, 0, 1, 2, 0, 0], [0x97, 1]],
    ["no registers at all", [3, 0x9c, 0x40, 0, 0], [0x83, 3]],
    ["126 registers", [3, 0x9c, 0x40, 0, 126], [0x83, 3]],
    ["registers before the map", [3, 0x9c, 0x3f, 0, 2], [0x83, 2]],
    ["registers far behind the map", [3, 0xff, 0xff, 0, 2], [0x83, 2]],
    ["a read with a byte too many", [3, 0x9c, 0x40, 0, 2, 0], [0x83, 3]],
    ["a write to nowhere", [6, 0, 0, 0, 1], [0x86, 2]],
    ["a write of the marker", [6, 0x9c, 0x40, 0, 1], [0x86, 2]],
    ["a block write whose byte count is wrong", [16, 0x9c, 0x40, 0, 1, 3, 0, 0, 0], [0x90, 3]],
    ["a block write with too few bytes", [16, 0x9c, 0x40, 0, 2, 4, 0, 0], [0x90, 3]],
    ["a block write without a count", [16, 0x9c], [0x90, 3]],
  ])("%s gets the exception of the standard", async (_, pdu, answer) => {
    expect(await ask(pdu)).toEqual(answer);
  });

  test("the last register of the end model is there, and the one behind it is not", async () => {
    const sizes = [68, 52, 28, 32, 46, 26];
    const end = 40_002 + sizes.reduce((sum, size) => sum + size, 0);
    expect(await ask([3, end >> 8, end & 0xff, 0, 2])).toEqual([3, 4, 0xff, 0xff, 0, 0]);
    expect(await ask([3, end >> 8, end & 0xff, 0, 3])).toEqual([0x83, 2]);
  });

  test("125 registers are one answer", async () => {
    const answer = await ask([3, 0x9c, 0x40, 0, 125]);
    expect(answer).toHaveLength(252);
    expect(answer[1]).toBe(250);
  });

  test("another unit is said to be silent", async () => {
    expect(await ask([3, 0x9c, 0x40, 0, 1], 2)).toEqual([0x83, 11]);
  });

  test("or is silent, if the device is of that kind", async () => {
    await bench[Symbol.asyncDispose]();
    bench = await openBench("solar", { otherUnit: "silence", unit: 126 });
    const peer = await open();
    peer.send(...READ_MARKER);
    peer.send(...READ_MARKER.slice(0, 6), 126, ...READ_MARKER.slice(7));
    const answer = await peer.bytes(MARKER_ANSWER.length);
    expect(answer[6]).toBe(126);
    expect(peer.received).toHaveLength(0);
  });

  test("one connection too many is reset, and a freed place is given again", async () => {
    bench.simulator.behaviour.maxConnections = 2;
    const second = await open();
    const third = await open();
    await waitFor("the third to be reset", () => third.closed);
    second.send(...READ_MARKER);
    expect(await second.bytes(MARKER_ANSWER.length)).toEqual(MARKER_ANSWER);
    second.socket.destroy();
    await waitFor("a place for a fourth", async () => {
      const fourth = await open();
      fourth.send(...READ_MARKER);
      await waitFor("an answer or a reset", () => fourth.closed || fourth.received.length > 0);
      return !fourth.closed;
    });
  });

  test("dropped connections are reset, and new ones are welcome", async () => {
    const peer = await open();
    peer.send(...READ_MARKER);
    await peer.bytes(MARKER_ANSWER.length);
    bench.simulator.dropConnections();
    await waitFor("the reset", () => peer.closed);
    expect(peer.error).toBe("ECONNRESET");
    expect(await ask([3, 0x9c, 0x40, 0, 2])).toEqual([3, 4, 0x53, 0x75, 0x6e, 0x53]);
  });
});

test("a fault inside of the device is exception 4", () => {
  const broken = {
    read: () => {
      throw new Error("no sensor");
    },
    write: () => undefined,
  };
  expect([...answerRequest(Buffer.from([3, 0, 0, 0, 1]), broken)]).toEqual([0x83, 4]);
});

test("124 registers to write are one too many, even if a frame could hold them", () => {
  const bank = { read: () => [], write: () => undefined };
  const request = (count: number) =>
    Buffer.from([16, 0, 0, 0, count, 2 * count, ...new Array<number>(2 * count).fill(0)]);
  expect([...answerRequest(request(124), bank)]).toEqual([0x90, 3]);
  expect([...answerRequest(request(123), bank)]).toEqual([16, 0, 0, 0, 123]);
});

test("no request of any shape makes the device throw", () => {
  const bank = {
    read: (_space: string, _address: number, count: number) => new Array<number>(count).fill(7),
    write: () => undefined,
  };
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 253 }), (bytes) => {
      const answer = answerRequest(Buffer.from(bytes), bank);
      expect(answer.length).toBeGreaterThanOrEqual(2);
      expect(answer.length).toBeLessThanOrEqual(253);
      expect((answer[0] ?? 0) | 0x80).toBe((bytes[0] ?? 0) | 0x80);
    }),
  );
});
