import { Declined } from "./declined.ts";
import { without } from "./effect.ts";
import type { MarketRules } from "./market-rules.ts";
import type { StandingBid, TransactionRecord } from "./provider-records.ts";
import type { ProviderRequest } from "./request.ts";
import type { SeedRequest } from "./seed-requests.ts";

/** The bid that a request brings, if it brings one. @throws Declined if it is none for this market */
export function bidOf(
  { nowMs, bapId }: ProviderRequest,
  read: SeedRequest,
  rules: MarketRules,
): StandingBid | undefined {
  const { curve: wire, era } = read;
  if (wire === undefined) return undefined;
  const { currency } = rules.dialect;
  if (wire.curve.currency !== currency) {
    throw new Declined("CURVE_INVALID", wire.path, `this market trades in ${currency}, not in ${wire.curve.currency}`);
  }
  const owner = era === undefined ? undefined : rules.resources.get(era)?.bapId;
  if (owner !== undefined && owner !== bapId) {
    throw new Declined("RESOURCE_UNKNOWN", wire.path, `"${era}" is not a resource of ${bapId}`);
  }
  return { curve: wire.curve, bounds: wire.bounds, submittedAtMs: nowMs };
}

/** A newer transaction bids for the resource: an order that binds goes on, the bid does not. */
export function outbid(rival: TransactionRecord, nowMs: number): TransactionRecord {
  const record = { ...without(rival, "bid", "offer", "unanswered"), updatedAtMs: nowMs };
  const isBound = rival.state === "CONFIRMED" || rival.state === "ACTIVE";
  return isBound ? record : { ...record, state: "EXPIRED" };
}

/** @throws Declined if the request names another resource than its transaction is about */
export function checkEra(read: SeedRequest, known: TransactionRecord): void {
  if (!known.eraGiven) return;
  const other = [read.era, ...read.accepted.items].find((era) => era !== undefined && era !== known.era);
  if (other === undefined) return;
  throw new Declined("OFFER_MISMATCH", "message.order", `this transaction is about ${known.era}, not about ${other}`);
}
