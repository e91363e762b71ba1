import { connect, type Socket } from "node:net";
import { describe, expect, test } from "vitest";
import { behaviourWith, FaultError } from "../../simulators/fault-option.ts";
import { parseModels } from "../../simulators/inverter/model-list.ts";
import { SUNSPEC_FAULTS } from "../../simulators/inverter/sunspec-faults.ts";
import { GOOD_SUNSPEC_BEHAVIOUR, type SunSpecBehaviour } from "../../simulators/inverter/sunspec-simulator.ts";
import { createRng } from "../../simulators/world/rng.ts";
import { waitFor } from "../support/wait-for.ts";
import { type Bench, exceptionOf, openBench, signed, sky } from "./inverter-simulator-bench.ts";
import { connectTo } from "./modbus-simulator-client.ts";

const READ_MARKER = Buffer.from([0, 9, 0, 0, 0, 6, 1, 3, 0x9c, 0x40, 0, 2]);
const ANSWER = [0, 9, 0, 0, 0, 7, 1, 3, 4, 0x53, 0x75, 0x6e, 0x53];

/** A socket that shows what comes, and when the other end is gone. */
class Peer {
  readonly socket: Socket;
  readonly chunks: Buffer[] = [];
  closed = false;
  ended = false;

  constructor({ host, port }: { host: string; port: number }) {
    this.socket = connect({ host, port, noDelay: true });
    this.socket.on("data", (chunk: Buffer) => this.chunks.push(chunk));
    this.socket.on("error", () => {});
    this.socket.on("end", () => {
      this.ended = true;
    });
    this.socket.on("close", () => {
      this.closed = true;
    });
  }

  get bytes(): number[] {
    return [...Buffer.concat(this.chunks)];
  }

  ask(): void {
    this.socket.write(READ_MARKER);
  }

  [Symbol.dispose](): void {
    this.socket.destroy();
  }
}

const named = (...faults: string[]): Partial<SunSpecBehaviour> =>
  behaviourWith(SUNSPEC_FAULTS, GOOD_SUNSPEC_BEHAVIOUR, faults);

/** Answers a client that came later, which shows that the device is well. */
async function answersOthers(bench: Bench): Promise<boolean> {
  await using client = await connectTo(bench);
  return (await client.readHoldingRegisters(bench.base, 1)).data[0] === 0x5375;
}

async function broken(...faults: string[]): Promise<Bench> {
  const bench = await openBench("solar");
  Object.assign(bench.simulator.behaviour, named(...faults));
  return bench;
}

describe("a device with a fault", () => {
  test("an exception for everything", async () => {
    await using bench = await broken("exception=6");
    using peer = new Peer(bench);
    peer.ask();
    await waitFor("the answer", () => peer.bytes.length === 9);
    expect(peer.bytes).toEqual([0, 9, 0, 0, 0, 3, 1, 0x83, 6]);
  });

  test("a late answer comes when its time is over, and the next one behind it", async () => {
    await using bench = await broken("late=3");
    using peer = new Peer(bench);
    peer.ask();
    await waitFor("the device to wait", () => bench.clock.sleeping === 2);
    peer.ask();
    bench.clock.advance(2900);
    expect(peer.bytes).toEqual([]);
    bench.clock.advance(100);
    await waitFor("the first answer", () => peer.bytes.length === ANSWER.length);
    await waitFor("the device to wait again", () => bench.clock.sleeping === 2);
    bench.clock.advance(3000);
    await waitFor("the second answer", () => peer.bytes.length === 2 * ANSWER.length);
  });

  test("a reset in the middle of a frame", async () => {
    await using bench = await broken("reset");
    using peer = new Peer(bench);
    peer.ask();
    await waitFor("the end", () => peer.closed);
    expect(peer.bytes.length).toBeLessThan(ANSWER.length);
  });

  test("an answer in another unit's name", async () => {
    await using bench = await broken("wrong-unit");
    using peer = new Peer(bench);
    peer.ask();
    await waitFor("the answer", () => peer.bytes.length === ANSWER.length);
    expect(peer.bytes).toEqual(ANSWER.with(6, 2));
  });

  test("an answer byte by byte, and twice", async () => {
    await using bench = await broken("split", "twice");
    using peer = new Peer(bench);
    peer.ask();
    for (let count = 1; count <= 2 * ANSWER.length; count++) {
      await waitFor("a byte", () => peer.bytes.length === count && bench.clock.sleeping === (count < 26 ? 2 : 1));
      bench.clock.advance(2);
    }
    expect(peer.bytes).toEqual([...ANSWER, ...ANSWER]);
  });

  test("a connection that is dead and does not say so, beside new ones that live", async () => {
    await using bench = await broken("half-open=2");
    using peer = new Peer(bench);
    for (let answers = 1; answers <= 2; answers++) {
      peer.ask();
      await waitFor("an answer", () => peer.bytes.length === answers * ANSWER.length);
    }
    peer.ask();
    peer.socket.end();
    expect(await answersOthers(bench)).toBe(true);
    expect(peer.bytes.length).toBe(2 * ANSWER.length);
    expect(peer.ended).toBe(false);
    expect(peer.closed).toBe(false);
  });

  test("a dead connection takes no place of a living one", async () => {
    await using bench = await openBench("solar", { behaviour: { maxConnections: 1 } });
    bench.simulator.killConnections();
    expect(await answersOthers(bench)).toBe(true);
  });

  test("only a share of the answers is hit, the same ones with the same seed", async () => {
    const run = async () => {
      const rng = createRng(3);
      await using bench = await openBench("solar", { random: () => rng.next() });
      Object.assign(bench.simulator.behaviour, named("exception=4", "share=0.5"));
      const outcomes: (number | undefined)[] = [];
      await using client = await connectTo(bench);
      for (let request = 0; request < 20; request++) {
        outcomes.push(await exceptionOf(client.readHoldingRegisters(bench.base, 1)));
      }
      return outcomes;
    };
    const first = await run();
    expect(new Set(first)).toEqual(new Set([undefined, 4]));
    expect(await run()).toEqual(first);
  });

  test("function 6 is not taken", async () => {
    await using bench = await broken("fc16-only");
    expect(await exceptionOf(bench.writeOne(123, 5, 3000))).toBe(1);
    await bench.write(123, 5, [3000]);
  });

  test("measurements stand still, and controls do not", async () => {
    await using bench = await openBench("solar");
    bench.settle();
    const before = await bench.read(103, 14, 1);
    bench.simulator.behaviour.isStale = true;
    await bench.read(103, 14, 1);
    sky.share = 0.3;
    bench.settle();
    expect(await bench.read(103, 14, 1)).toEqual(before);
    await bench.write(123, 5, [4000, 0xffff, 60]);
    expect(await bench.read(123, 5, 3)).toEqual([4000, 0xffff, 60]);
    bench.simulator.behaviour.isStale = false;
    expect(await bench.read(103, 14, 1)).toEqual([300]);
  });

  test("asleep without sun: nothing is measured, the counter stands, and who it is can be read", async () => {
    await using bench = await broken("sleeps");
    const counted = await bench.read(103, 24, 3);
    sky.share = 0;
    bench.settle();
    expect(await bench.read(103, 14, 4)).toEqual([0x8000, 0x8000, 0xffff, 0x8000]);
    expect(await bench.read(103, 24, 3)).toEqual([expect.any(Number), expect.any(Number), counted[2]]);
    expect((await bench.read(103, 25, 1))[0]).toBeGreaterThan(0);
    expect(await bench.read(123, 4, 1)).toEqual([0xffff]);
    expect((await bench.read(1, 2, 1))[0]).not.toBe(0);
    sky.share = 0.5;
    bench.settle();
    expect(signed((await bench.read(103, 14, 1))[0])).toBe(500);
  });

  test("a restart breaks connections, forgets the order, and moves the map where it is told to", async () => {
    await using bench = await broken("map-moves");
    await bench.write(123, 5, [3000, 0xffff, 0, 0xffff, 1]);
    expect(bench.simulator.underControl()).toBe(true);
    bench.simulator.restart();
    expect(bench.simulator.underControl()).toBe(false);
    await using client = await connectTo(bench);
    const idAt = async (address: number) => (await client.readHoldingRegisters(address, 2)).data;
    expect(await idAt(bench.base + 70)).toEqual([64_900, 2]);
    expect(await idAt(bench.base + 74)).toEqual([103, 50]);
  });

  test("it restarts as often as it is told to", async () => {
    await using bench = await broken("restarts=10");
    await bench.write(123, 5, [3000, 0xffff, 0, 0xffff, 1]);
    for (let step = 0; step < 52; step++) {
      bench.clock.advance(200);
      await waitFor("the device to look at itself", () => bench.clock.sleeping === 1);
    }
    expect(bench.simulator.underControl()).toBe(false);
  });

  test("somebody at the device: it says so, and takes no orders", async () => {
    await using bench = await openBench("battery", { models: parseModels("1,701,704,715,802") });
    Object.assign(bench.simulator.behaviour, named("local"));
    expect(await bench.read(715, 2, 1)).toEqual([1]);
    expect(await bench.read(802, 17, 1)).toEqual([1]);
    expect(await exceptionOf(bench.write(704, 14, [1]))).toBe(3);
    expect(await exceptionOf(bench.writeOne(715, 8, 0))).toBe(3);
    expect(await exceptionOf(bench.write(715, 5, [0, 1]))).toBeUndefined();
    Object.assign(bench.simulator.behaviour, { isLocal: false });
    expect(await exceptionOf(bench.write(704, 14, [1]))).toBeUndefined();
  });

  test("a new limit waits for its enable, and reads back meanwhile", async () => {
    await using bench = await broken("needs-enable");
    await bench.write(123, 5, [5000, 0xffff, 0, 0xffff, 1]);
    await bench.writeOne(123, 5, 3000);
    bench.settle();
    expect(await bench.read(123, 5, 1)).toEqual([3000]);
    expect(bench.simulator.powerKW()).toBeCloseTo(5, 2);
    await bench.writeOne(123, 9, 1);
    bench.settle();
    expect(bench.simulator.powerKW()).toBeCloseTo(3, 2);
  });
});

test.each([
  ["nothing", /no fault "nothing"/],
  ["exception", /needs a value: exception=CODE/],
  ["exception=0", /not a number from 1 to 255/],
  ["silence=1", /takes no value/],
  ["late=soon", /not a number/],
  ["share=2", /from 0 to 1/],
])("--fault %s is explained", (text, message) => {
  expect(() => named(text)).toThrow(message);
  expect(() => named(text)).toThrow(FaultError);
});
