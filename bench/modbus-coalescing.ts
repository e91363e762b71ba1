import { createServer } from "node:net";
import { ModbusLink } from "../adapters/modbus/link/modbus-link.ts";
import { systemClock } from "../src/clock.ts";
import { silentLog } from "../src/log.ts";
import { type Benchmark, figure } from "./figure.ts";

/** Consecutive registers, 0-based. */
export interface Registers {
  readonly address: number;
  readonly count: number;
}

/** What a device profile reads: its points, and the blocks into which they were put together. */
export interface PlannedProfile {
  readonly id: string;
  readonly points: readonly Registers[];
  readonly blocks: readonly Registers[];
}

/**
 * Requests for all points of the devices in blocks, over those with one read a point, both counted at the device's side.
 * Five times fewer are 0.2.
 * @param dense devices whose points stand together, as the target means them
 * @param sparse devices of few points far apart; told beside it
 */
export function coalescing(dense: readonly PlannedProfile[], sparse: readonly PlannedProfile[]): Benchmark {
  return {
    figures: ["modbus_coalesced_requests"],
    run: async () => {
      const { single, together } = await counted(dense);
      const others = await counted(sparse);
      return [
        figure({
          name: "modbus_coalesced_requests",
          value: together / single,
          unit: "x",
          target: 0.2,
          floor: 1,
          detail: `SunSpec inverter, battery, meter: ${together} requests for ${single} points; all vendor profiles: ${others.together} for ${others.single}; floor: one read a point`,
        }),
      ];
    },
  };
}

async function counted(profiles: readonly PlannedProfile[]): Promise<{ single: number; together: number }> {
  let [single, together] = [0, 0];
  for (const { id, points, blocks } of profiles) {
    for (const point of points) {
      if (!blocks.some((block) => holds(block, point))) throw new Error(`${id}: no block reads ${point.address}`);
    }
    single += await requestsFor(points);
    together += await requestsFor(blocks);
  }
  return { single, together };
}

function holds(block: Registers, point: Registers): boolean {
  return point.address >= block.address && point.address + point.count <= block.address + block.count;
}

/** Reads them all through the link from a server that counts. */
async function requestsFor(reads: readonly Registers[]): Promise<number> {
  let requests = 0;
  const server = createServer((socket) => {
    socket.on("error", () => {});
    socket.on("data", (request) => {
      requests += 1;
      const bytes = 2 * request.readUInt16BE(10);
      const answer = Buffer.alloc(9 + bytes);
      request.copy(answer, 0, 0, 8);
      answer.writeUInt16BE(3 + bytes, 4);
      answer.writeUInt8(bytes, 8);
      socket.write(answer);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  try {
    await using link = new ModbusLink(
      { host: "127.0.0.1", port },
      { clock: systemClock, log: silentLog, random: Math.random },
    );
    const manners = { unit: 1, timeoutMs: 5000, gapMs: 0 };
    const { signal } = new AbortController();
    for (const read of reads) await link.read(manners, read.address, read.count, signal);
    return requests;
  } finally {
    server.close();
  }
}
