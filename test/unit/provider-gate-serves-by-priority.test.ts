import { expect, test } from "vitest";
import { clearGrid } from "../../src/clearing/grid/clear-grid.ts";
import { closeGate } from "../../src/market/provider/gate.ts";
import { parseProviderConfig } from "../../src/market/provider/load-provider-config.ts";
import { rulesFrom } from "../../src/market/provider/market-rules-from-config.ts";
import type { TransactionRecord } from "../../src/market/provider/provider-records.ts";

const NOW_MS = Date.UTC(2026, 5, 15, 12);
const INTERVAL = { gateMs: NOW_MS, validFromMs: NOW_MS + 60_000, validUntilMs: NOW_MS + 960_000 };

/** A bid for all or nothing up to a price. */
function wants(era: string, powerKW: number, submittedAtMs: number): TransactionRecord {
  const price = 0.1;
  return {
    transactionId: `t-${era}`,
    bapId: "site",
    envelope: "snake",
    replyTo: { kind: "http", uri: "http://127.0.0.1:9/site" },
    era,
    state: "DISCOVERED",
    eraGiven: true,
    orderId: `o-${era}`,
    missedOffers: 0,
    orderedAtMs: NOW_MS,
    reportedAtMs: NOW_MS,
    updatedAtMs: NOW_MS,
    bid: {
      curve: {
        shape: "LINEAR",
        currency: "INR",
        points: [
          { pricePerKWh: price, powerKW: -powerKW },
          { pricePerKWh: price, powerKW: 0 },
        ],
      },
      bounds: {},
      submittedAtMs,
    },
  };
}

function shares(rationing: string): Record<string, number> {
  const config = parseProviderConfig(
    `
subscriberId: m
http: {}
market:
  rationing: ${rationing}
  external: { points: [{ price: 0, powerKW: 10 }] }
grid:
  nodes: [{ era: zone }]
  resources:
    - { era: hospital, priority: -1 }
    - { era: pool, priority: 5 }
`,
    "provider.yaml",
  );
  const rules = rulesFrom(config, "http://127.0.0.1:9/m");
  const bids = [wants("pool", 8, NOW_MS - 3000), wants("shop", 8, NOW_MS - 2000), wants("hospital", 8, NOW_MS - 1000)];
  const { change } = closeGate(bids, INTERVAL, rules, clearGrid, { nowMs: NOW_MS });
  return Object.fromEntries((change.transactions ?? []).map(({ era, offer }) => [era, offer?.powerKW ?? 0]));
}

test("where a gate fills by priority, the lower number is served whole before the next", () => {
  expect(shares("PRIORITY")).toEqual({ hospital: -8, shop: -2, pool: 0 });
});

test("pro rata, nobody's turn counts", () => {
  const { hospital, shop, pool } = shares("PRO_RATA");
  for (const powerKW of [hospital, shop, pool]) expect(powerKW).toBeCloseTo(-10 / 3, 9);
});
