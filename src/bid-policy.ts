import type { BidPolicy } from "./bidding/bidder.ts";
import type { DeviceConfig, MarketConfig } from "./config/schema.ts";
import type { Objective } from "./model/objective.ts";

/** Share of a car's time that is kept back: a curve is up to a second old, and small changes are not told. */
const RESERVE_SHARE = 0.05;

/** How a device bids, from the config. */
export function policyOf({ storage, charging, prices, baseKW }: DeviceConfig, market: MarketConfig): BidPolicy {
  return {
    currency: market.currency,
    ...(prices && { prices }),
    ...(baseKW !== undefined && { baseKW }),
    storage: {
      storedValuePerKWh: storage?.storedValuePerKWh ?? 0.1,
      wearPerKWh: storage?.wearPerKWh ?? 0.02,
      roundTripEfficiency: storage?.roundTripEfficiency ?? 0.9,
      spreadPerKWh: storage?.spreadPerKWh ?? 0.02,
    },
    slotMs: market.interval,
    leadMs: market.bidLead,
    reserveSocPercent: storage?.reserveSocPercent ?? 10,
    laterMustRunKWh: storage?.keepForLaterKWh ?? 0,
    reserveShare: charging?.reserveShare ?? RESERVE_SHARE,
    chargingEfficiency: charging?.efficiency ?? 1,
    spreadPerKWh: charging?.spreadPerKWh ?? 0,
    otherSourceAdderPerKWh: market.otherSourceAdder,
    shortfallPerKWh: market.shortfallPrice,
  };
}

/** The goal of a device, from the config. */
export function objectiveOf({ objective }: DeviceConfig): Objective | undefined {
  if (objective === undefined) return undefined;
  const { deadline, maxPricePerKWh, priceMode, minChargeKWh, maxChargeKWh, preferredSource } = objective;
  return {
    targetChargeKWh: objective.targetChargeKWh,
    deadlineMs: Date.parse(deadline),
    ...(maxPricePerKWh !== undefined && { maxPricePerKWh }),
    ...(priceMode !== undefined && { priceMode }),
    ...(minChargeKWh !== undefined && { minChargeKWh }),
    ...(maxChargeKWh !== undefined && { maxChargeKWh }),
    ...(preferredSource !== undefined && { preferredSource }),
  };
}
