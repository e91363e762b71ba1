import { randomUUID } from "node:crypto";
import { clearGrid } from "../src/clearing/grid/clear-grid.ts";
import { systemClock } from "../src/clock.ts";
import { silentLog } from "../src/log.ts";
import { clearRequest } from "../src/market/provider/aggregation.ts";
import { parseProviderConfig } from "../src/market/provider/load-provider-config.ts";
import { rulesFrom } from "../src/market/provider/market-rules-from-config.ts";
import { ProviderInbox } from "../src/market/provider/provider-inbox.ts";
import { SqliteProviderStore } from "../src/market/provider/provider-store.ts";
import { TradingDesk } from "../src/market/provider/trading-desk.ts";
import { PinnedKeys } from "../src/market/signing-keys.ts";
import { parseStrictJson } from "../src/market/strict-json.ts";
import { seededNumbers, threePointBid } from "./clearing-bids.ts";
import { type BenchContext, type Benchmark, type Figure, figure } from "./figure.ts";

const MARKET = "market.bench.example";
const TOGETHER = 100_000;
const TOGETHER_ROUNDS = 3;
const SINGLE = 20_000;
/** Messages that are on their way at the same time, as from many connections. */
const UNDER_WAY = 500;
const SEED = 1;

/**
 * Bids with the message layer on: bytes in, answer out. In one `aggregate` request, which is cleared; and in a `discover`
 * message each, which is committed to the disk before its ACK. 100 µs are 10,000 bids a second.
 */
export const bidMessages: Benchmark = { figures: ["aggregate_bid_us", "discover_bid_us"], run: measure };

async function measure(context: BenchContext): Promise<readonly Figure[]> {
  return [aggregated(context), await discovered(context)];
}

function aggregated({ progress }: BenchContext): Figure {
  const random = seededNumbers(SEED);
  const participants = Array.from({ length: TOGETHER }, (_, index) => ({
    era: `device-${index}`,
    bidCurve: wirePoints(threePointBid(random)),
  }));
  const bytes = Buffer.from(JSON.stringify({ aggregationRequest: { currency: "INR", participants } }));
  let bestUs = Number.POSITIVE_INFINITY;
  let parseUs = Number.POSITIVE_INFINITY;
  for (let round = 1; round <= TOGETHER_ROUNDS; round++) {
    progress(`${TOGETHER} bids in one request, round ${round} of ${TOGETHER_ROUNDS}`);
    const startedAtMs = performance.now();
    const json = parseStrictJson(bytes);
    if (!json.ok) throw new Error(`the request was refused: ${json.fault}`);
    const answer = JSON.stringify(clearRequest(json.value, clearGrid, 0));
    bestUs = Math.min(bestUs, usPerBid(startedAtMs, TOGETHER));
    if (!answer.includes('"CLEARED"')) throw new Error(`not cleared: ${answer.slice(0, 200)}`);
    const parsedAtMs = performance.now();
    JSON.parse(bytes.toString("utf8"));
    parseUs = Math.min(parseUs, usPerBid(parsedAtMs, TOGETHER));
  }
  return figure({
    name: "aggregate_bid_us",
    value: bestUs,
    unit: "us",
    target: 100,
    floor: parseUs,
    detail: `${TOGETHER} bids in one request, parsed, checked, cleared and answered: ${perSecond(bestUs)} bids/s; JSON.parse alone ${parseUs.toFixed(2)} us`,
  });
}

async function discovered({ folder, progress }: BenchContext): Promise<Figure> {
  const config = parseProviderConfig(
    JSON.stringify({ subscriberId: MARKET, http: { port: 0 }, market: { currency: "INR", interval: "1h" } }),
    "bench",
  );
  await using store = await SqliteProviderStore.open(folder);
  const rules = rulesFrom(config, "http://127.0.0.1:9/beckn");
  const desk = new TradingDesk({ store, rules, clearGrid, clock: systemClock, log: silentLog, kick: () => {} });
  await desk.ready();
  const inbox = new ProviderInbox({
    subscriberId: MARKET,
    store,
    desk,
    clock: systemClock,
    log: silentLog,
    keys: new PinnedKeys([]),
    pinnedUris: new Map(),
  });
  const random = seededNumbers(SEED);
  const send = async (bodies: readonly Buffer[]) => {
    const left = bodies.values();
    await Promise.all(
      Array.from({ length: UNDER_WAY }, async () => {
        for (const body of left) {
          const answer = await inbox.receive({ body, action: "discover", requireSignature: false });
          if (answer.status !== 200) throw new Error(`a bid was refused: ${answer.body}`);
        }
      }),
    );
  };
  progress("single bids: warms up");
  await send(messages(2000, random));
  progress(`${SINGLE} single bids`);
  const bodies = messages(SINGLE, random);
  const startedAtMs = performance.now();
  await send(bodies);
  const value = usPerBid(startedAtMs, SINGLE);
  const parsedAtMs = performance.now();
  for (const body of bodies) JSON.parse(body.toString("utf8"));
  const floor = usPerBid(parsedAtMs, SINGLE);
  return figure({
    name: "discover_bid_us",
    value,
    unit: "us",
    target: 100,
    floor,
    detail: `${SINGLE} discover messages, each committed before its ACK, ${UNDER_WAY} at a time: ${perSecond(value)} bids/s; JSON.parse alone ${floor.toFixed(2)} us`,
  });
}

function messages(count: number, random: () => number): readonly Buffer[] {
  return Array.from({ length: count }, () => {
    const id = randomUUID();
    const context = {
      version: "2.0.0",
      action: "discover",
      domain: "beckn.one:deg:energy-coordination:*",
      timestamp: new Date().toISOString(),
      message_id: randomUUID(),
      transaction_id: id,
      bap_id: "site.bench.example",
      bap_uri: "http://127.0.0.1:9/beckn",
      bpp_id: MARKET,
      bpp_uri: "http://127.0.0.1:9/beckn",
      ttl: "PT30S",
    };
    const intent = {
      "@type": "EnergyIntent",
      era: `device-${id}`,
      bidCurve: wirePoints(threePointBid(random)),
      currency: "INR",
    };
    return Buffer.from(JSON.stringify({ context, message: { intent } }));
  });
}

function wirePoints(points: ReturnType<typeof threePointBid>): object[] {
  return points.map(({ pricePerKWh, powerKW }) => ({ price: pricePerKWh, powerKW }));
}

function usPerBid(startedAtMs: number, bids: number): number {
  return ((performance.now() - startedAtMs) * 1000) / bids;
}

function perSecond(us: number): number {
  return Math.round(1e6 / us);
}
