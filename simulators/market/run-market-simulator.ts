import { readFile, writeFile } from "node:fs/promises";
import type { Clock } from "../../src/clock.ts";
import type { Log } from "../../src/log.ts";
import { House } from "../world/house.ts";
import { createRng } from "../world/rng.ts";
import { MarketSimulator } from "./market-simulator.ts";
import { createSigningKey, seedOf } from "./signature.ts";

const KEY_ID = "market-key-1";

/** What a participant needs to know of a market that runs by itself. */
export interface MarketAddress {
  readonly url: string;
  readonly subscriberId: string;
  readonly keyId: string;
  /** Raw 32 bytes, base64. */
  readonly publicKey: string;
}

/**
 * Runs a market by itself until `signal` aborts. It takes unsigned messages, and those signed by anyone.
 * @param options.keyFile file with its private key in base64; made if it is not there, so that the public key stays the
 * same from run to run. Absent: a new key each time
 * @throws Error if the port or the key file cannot be had
 */
export async function runMarketSimulator(
  options: {
    host: string;
    port: number;
    subscriberId: string;
    intervalS: number;
    seed: number;
    currency: string;
    keyFile?: string;
  },
  context: { clock: Clock; log: Log; signal: AbortSignal; onListening: (address: MarketAddress) => void },
): Promise<void> {
  const { clock, log, signal, onListening } = context;
  const { subscriberId, seed, currency, keyFile } = options;
  const privateKey = keyFile === undefined ? undefined : await privateKeyIn(keyFile);
  const house = new House(clock, createRng(seed).fork("house"));
  await using market = new MarketSimulator({
    subscriberId,
    keyId: KEY_ID,
    clock,
    log,
    seed,
    intervalMs: options.intervalS * 1000,
    currency,
    houseKW: () => house.powerKW(),
    ...(privateKey !== undefined && { privateKey }),
  });
  const { url } = await market.start(options.port, options.host);
  onListening({ url, subscriberId, keyId: KEY_ID, publicKey: market.publicKey });
  if (signal.aborted) return;
  await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
}

async function privateKeyIn(file: string): Promise<string> {
  const made = seedOf(createSigningKey("", KEY_ID));
  try {
    // Only one of two that start at once makes the file; the other reads it.
    await writeFile(file, `${made}\n`, { flag: "wx", mode: 0o600 });
    return made;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    return (await readFile(file, "utf8")).trim();
  }
}
