import { definedOnly } from "../../model/defined-only.ts";
import type { MarketRules } from "./market-rules.ts";
import type { ProviderConfig } from "./provider-config.ts";

/** The market's rules as the config has them. */
export function rulesFrom(config: ProviderConfig, subscriberUri: string): MarketRules {
  const { market, grid, flexNeeds, support, subscriberId } = config;
  const { currency, sign, minPrice, maxPrice, basePrice, external } = market;
  return {
    subscriberId,
    subscriberUri,
    dialect: { sign, currency },
    discovery: market.priceDiscovery,
    intervalMs: market.interval,
    gateLeadMs: market.gate,
    confirmWithinMs: market.confirmWithin,
    maxMissedOffers: market.maxMissedOffers,
    bidLifetimeMs: market.bidLifetime,
    maxTransactions: market.maxTransactions,
    clearing: {
      currency,
      targetKW: market.targetKW,
      rationing: market.rationing,
      ...(minPrice !== undefined && { minPricePerKWh: minPrice }),
      ...(maxPrice !== undefined && { maxPricePerKWh: maxPrice }),
      ...(basePrice !== undefined && { basePricePerKWh: basePrice }),
      ...(external !== undefined && {
        external: {
          shape: external.shape,
          currency,
          points: external.points.map((point) => ({ pricePerKWh: point.price, powerKW: point.powerKW })),
        },
      }),
    },
    nodes: nodesFrom(grid.nodes),
    resources: new Map(grid.resources.map(({ era, ...place }) => [era, definedOnly(place)])),
    needs: new Map(
      flexNeeds.map(({ name, start, interval, clearingTime, offers, ...need }) => [
        need.id,
        {
          ...need,
          startMs: start,
          intervalMs: interval,
          clearingTimeMs: clearingTime,
          slope: offers,
          ...(name !== undefined && { name }),
        },
      ]),
    ),
    support,
  };
}

/** Without a grid all hang on one node. */
function nodesFrom(nodes: ProviderConfig["grid"]["nodes"]): MarketRules["nodes"] {
  if (nodes.length === 0) return [{ era: "market" }];
  return nodes.map(({ adder, ...node }) => ({
    ...definedOnly(node),
    ...(adder !== undefined && { adder: definedOnly(adder) }),
  }));
}
