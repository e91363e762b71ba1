import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type MarketAddress, runMarketSimulator } from "../../simulators/market/run-market-simulator.ts";
import { systemClock } from "../../src/clock.ts";
import { silentLog } from "../../src/log.ts";
import { SmallParticipant } from "./market-simulator-participant.ts";

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "market-"));
});

afterEach(async () => {
  await rm(folder, { recursive: true });
});

test("a market by itself takes bids from anyone until it is stopped", async () => {
  const { address, stop } = await runAlone();
  await using car = await new SmallParticipant(address.url, "bap.car.test", "car-1").start();
  const body = JSON.stringify(
    car.request("discover", { intent: { era: "car-1", bidCurve: [{ price: 0.1, powerKW: -1 }] } }),
  );
  expect((await car.post("discover", body, null)).ack).toBe("ACK");
  await stop();
  await expect(fetch(address.url)).rejects.toThrow();
});

test("a market by itself keeps its key in a file that only its owner reads", async () => {
  const keyFile = join(folder, "key");
  const first = await runAlone(keyFile);
  await first.stop();
  const second = await runAlone(keyFile);
  await second.stop();
  expect(second.address.publicKey).toBe(first.address.publicKey);
  expect((await stat(keyFile)).mode & 0o777).toBe(0o600);
  expect(Buffer.from((await readFile(keyFile, "utf8")).trim(), "base64")).toHaveLength(32);

  const other = await runAlone();
  await other.stop();
  expect(other.address.publicKey).not.toBe(first.address.publicKey);
});

async function runAlone(keyFile?: string) {
  const stopping = new AbortController();
  let running: Promise<void> = Promise.resolve();
  const address = await new Promise<MarketAddress>((onListening, reject) => {
    running = runMarketSimulator(
      {
        host: "127.0.0.1",
        port: 0,
        subscriberId: "market.test",
        intervalS: 60,
        seed: 1,
        currency: "INR",
        ...(keyFile !== undefined && { keyFile }),
      },
      { clock: systemClock, log: silentLog, signal: stopping.signal, onListening },
    );
    running.catch(reject);
  });
  return {
    address,
    stop: async () => {
      stopping.abort();
      await running;
    },
  };
}
