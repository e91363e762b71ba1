import { readFileSync } from "node:fs";
import { join } from "node:path";
import { stringify } from "yaml";
import { clearGrid } from "../clearing/grid/clear-grid.ts";
import type { GridClearingResult } from "../clearing/grid-types.ts";
import { parseConfig } from "../config/load.ts";
import { Gateway } from "../gateway.ts";
import { parseProviderConfig } from "../market/provider/load-provider-config.ts";
import { Provider } from "../market/provider/provider.ts";
import type { ClearedOrder, RoundRecord } from "../market/provider/provider-records.ts";
import { logFilesOf } from "../meter/log-lines.ts";
import { tradeFromRecord } from "../meter/trades-from-log.ts";
import { verifyLog } from "../meter/verify-log.ts";
import type { TradedInterval } from "../settlement/traded-interval.ts";
import type { AnyAdapterKind } from "./parts.ts";
import type { MarketRound, ScenarioHost } from "./scenario-parts.ts";

const MAX_ROUNDS = 1000;

function roundOf(record: RoundRecord, orders: readonly ClearedOrder[]): MarketRound {
  const { roundId, validFromMs: startMs, validUntilMs: endMs } = record;
  return {
    roundId,
    startMs,
    endMs,
    // Kept as it was cleared; the store says "unknown" because it may be of an older version.
    result: record.result as GridClearingResult,
    orders: orders.map((order) => ({
      era: order.era,
      powerKW: order.powerKW,
      ...(order.pricePerKWh !== undefined && { pricePerKWh: order.pricePerKWh }),
      startMs: order.validFromMs,
      endMs: order.validUntilMs,
    })),
  };
}

/** The product's own parts, for scenarios to run. */
export function createScenarioHost(adapters: readonly AnyAdapterKind[], version: string): ScenarioHost {
  return {
    startGateway: async ({ config, folder, clock, log }) => {
      const gateway = new Gateway({
        config: parseConfig(stringify(config), "scenario.yaml", adapters),
        folder,
        adapters,
        version,
        clock,
        log,
        random: Math.random,
      });
      try {
        await gateway.start();
      } catch (error) {
        await gateway[Symbol.asyncDispose]();
        throw error;
      }
      return gateway;
    },
    startProvider: async ({ config, folder, clock, log }) => {
      const provider = new Provider({
        config: parseProviderConfig(stringify(config), "provider.yaml"),
        folder,
        clearGrid,
        clock,
        log,
        random: Math.random,
      });
      await provider.start(new AbortController().signal);
      return {
        url: provider.url ?? "",
        rounds: async () => {
          const records = await provider.rounds(MAX_ROUNDS);
          return Promise.all(
            records.toReversed().map(async (record) => roundOf(record, await provider.ordersOf(record.roundId))),
          );
        },
        [Symbol.asyncDispose]: () => provider[Symbol.asyncDispose](),
      };
    },
    readMeterLog: (folder, direction) => {
      const trades: TradedInterval[] = [];
      const publicKey = readFileSync(join(folder, "data", "meter.key.pub"), "utf8").trim();
      const { fault, records } = verifyLog(logFilesOf(join(folder, "data", "meter")), {
        publicKey,
        onInterval: (record) => trades.push(tradeFromRecord(record, direction)),
      });
      return { records, trades, ...(fault !== undefined && { fault: `${fault.kind}: ${fault.message}` }) };
    },
  };
}
