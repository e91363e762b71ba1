import type { ClearingRules } from "../../clearing/clearing-types.ts";
import type { GridNode } from "../../clearing/grid-types.ts";
import type { Era } from "../../model/resource.ts";
import type { SeedDialect } from "../dialects/seed-shape.ts";
import type { FlexSlope } from "./flex-clearing.ts";

/**
 * When a price is found. `offerThenConfirm`: the gate clears all bids and offers the result, a confirmation makes it
 * binding. `clearAtConfirm`: participants commit first, the gate clears what is committed, and the confirmation's answer
 * has the price (the seed, 3.3: prices are discovered at confirmation).
 */
export type PriceDiscovery = "offerThenConfirm" | "clearAtConfirm";

/** Flexibility that a buyer asks for: so much in each of some intervals, against a baseline. */
export interface FlexNeed {
  readonly id: string;
  readonly name?: string;
  readonly startMs: number;
  readonly intervalMs: number;
  /** kW asked for in each interval, ≥ 0. */
  readonly requestedKW: readonly number[];
  /** Wall time at which offers are cleared; later ones are refused. */
  readonly clearingTimeMs: number;
  /** How offers have to run. */
  readonly slope: FlexSlope;
}

/** Whom a person can ask. */
export interface SupportContact {
  readonly name?: string | undefined;
  readonly phone?: string | undefined;
  readonly email?: string | undefined;
  readonly url?: string | undefined;
}

/** How this market works; from the configuration. */
export interface MarketRules {
  readonly subscriberId: string;
  /** Where participants reach us (`bpp_uri`). */
  readonly subscriberUri: string;
  readonly dialect: SeedDialect;
  readonly discovery: PriceDiscovery;
  /** Length of an interval, ms; intervals begin at multiples of it since the epoch. */
  readonly intervalMs: number;
  /** How long before its interval a gate closes, ms. */
  readonly gateLeadMs: number;
  /** How long an offer may be confirmed, ms. */
  readonly confirmWithinMs: number;
  /** Gates in a row whose offer is left unconfirmed before a bid ends. */
  readonly maxMissedOffers: number;
  /** How long a bid stands without a word from its participant, ms. */
  readonly bidLifetimeMs: number;
  /** Open transactions at the same time. */
  readonly maxTransactions: number;
  readonly clearing: Omit<ClearingRules, "lastPricePerKWh" | "rampWindowMs">;
  readonly nodes: readonly GridNode[];
  /** Where a resource hangs, who may bid for it, and its turn where jumps are filled by priority; absent: at the root, anybody, 0. */
  readonly resources: ReadonlyMap<Era, { readonly node?: Era; readonly bapId?: string; readonly priority?: number }>;
  readonly needs: ReadonlyMap<string, FlexNeed>;
  readonly support: SupportContact;
}

/** When a need's last interval ends, epoch ms. */
export function needEndMs(need: FlexNeed): number {
  return need.startMs + need.requestedKW.length * need.intervalMs;
}
