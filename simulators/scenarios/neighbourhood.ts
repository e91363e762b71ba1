import type { GatewayHandle, MarketRound, ProviderHandle } from "../../src/cli/scenario-parts.ts";
import { PATIENT, type StageDevice } from "./site-devices.ts";
import type { Party, Stage } from "./stage.ts";

const MARKET_ID = "market.scenario.example";
/** A simulated device needs this long to follow, and a meter to say so; the model runs many times faster than the wall. */
const CALL_TIMEOUT_MS = 120_000;

/** One site: a gateway with its devices. */
export interface SiteOptions {
  readonly id: string;
  readonly devices: readonly StageDevice[];
  /** Merged over the site's config, section by section. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** Merged over its `market` section. */
  readonly market?: Readonly<Record<string, unknown>>;
}

export interface NeighbourhoodOptions {
  readonly intervalMs: number;
  /** How long before its interval a gate closes; default a third of the interval. */
  readonly gateMs?: number;
  readonly currency?: string;
  /** Merged over the provider's `market` section: `external`, `minPrice`, `targetKW` … */
  readonly market?: Readonly<Record<string, unknown>>;
  /** The provider's `grid` section. */
  readonly grid?: Readonly<Record<string, unknown>>;
  readonly sites: readonly SiteOptions[];
}

export interface Neighbourhood {
  readonly market: ProviderHandle;
  readonly sites: ReadonlyMap<string, GatewayHandle>;
  readonly marketParty: Party;
}

/**
 * A market clearing agent and the sites that trade with it: the real programs, over real sockets, with signed messages,
 * and simulated devices on real protocols behind each gateway. Returns when all devices are connected.
 */
export async function openNeighbourhood(stage: Stage, options: NeighbourhoodOptions): Promise<Neighbourhood> {
  const { intervalMs, currency = "EUR" } = options;
  const marketParty = stage.party(MARKET_ID);
  const siteParties = options.sites.map((site) => stage.party(`${site.id}.scenario.example`));
  const gateMs = options.gateMs ?? intervalMs / 3;
  const market = await stage.provider("market", {
    subscriberId: MARKET_ID,
    http: { port: 0 },
    requireSignature: true,
    trustedKeys: siteParties.map(({ subscriberId, keyId, publicKey }) => ({ subscriberId, keyId, publicKey })),
    signingKey: { keyId: marketParty.keyId, privateKeyFile: marketParty.privateKeyFile },
    market: {
      currency,
      interval: seconds(intervalMs),
      gate: seconds(gateMs),
      confirmWithin: seconds(gateMs * 0.9),
      ...options.market,
    },
    grid: options.grid ?? {},
  });
  const sites = new Map<string, GatewayHandle>();
  for (const [index, site] of options.sites.entries()) {
    const party = siteParties[index];
    if (party === undefined) continue;
    const gateway = await stage.gateway(site.id, {
      site: { name: site.id },
      api: { port: 0 },
      ocpp: { port: 0, meterIntervalS: 10, callTimeoutMs: CALL_TIMEOUT_MS, ...PATIENT },
      ...site.config,
      market: {
        subscriberId: party.subscriberId,
        bppId: MARKET_ID,
        bppUri: market.url,
        currency,
        interval: seconds(intervalMs),
        defaultHold: seconds(intervalMs),
        telemetryInterval: "30s",
        requireSignature: true,
        webhook: { port: 0 },
        trustedKeys: [{ subscriberId: MARKET_ID, keyId: marketParty.keyId, publicKey: marketParty.publicKey }],
        signingKey: { keyId: party.keyId, privateKeyFile: party.privateKeyFile },
        ...site.market,
      },
      devices: site.devices.map((device) => device.config),
    });
    sites.set(site.id, gateway);
    for (const device of site.devices) await device.connect(gateway.addresses());
  }
  await stage.until("all devices", 600_000, () =>
    [...sites.values()].every((site) => site.status().devices.every((device) => device.linkUp)),
  );
  return { market, sites, marketParty };
}

/** The number of clearings that traded something, oldest first. */
export async function tradedRounds(market: ProviderHandle): Promise<readonly MarketRound[]> {
  return (await market.rounds()).filter((round) => round.orders.length > 0);
}

/**
 * What holds for every round whatever the use case: the powers of a clearing and the exchange with the outside add up to
 * the target, and each order is the power that the clearing gave its resource.
 */
export function checkRounds(stage: Stage, rounds: readonly MarketRound[], targetKW = 0): void {
  stage.check("the market cleared", rounds.length > 0, `${rounds.length} rounds with orders`);
  const imbalancesKW = rounds.map(({ result }) => {
    const sumKW = result.setpoints.reduce((sum, { powerKW }) => sum + powerKW, result.externalKW ?? 0);
    return Math.abs(sumKW + result.unmetKW - targetKW);
  });
  const worstKW = Math.max(0, ...imbalancesKW);
  stage.check("every clearing balances", worstKW <= 1e-6, `worst imbalance ${worstKW.toExponential(1)} kW of 1e-6`);
  const strayKW = Math.max(
    0,
    ...rounds.flatMap(({ result, orders }) =>
      orders.map((order) => {
        const cleared = result.setpoints.find(({ era }) => era === order.era);
        return Math.abs(order.powerKW - (cleared?.powerKW ?? Number.POSITIVE_INFINITY));
      }),
    ),
  );
  stage.check("every order is what was cleared", strayKW <= 1e-6, `worst difference ${strayKW.toExponential(1)} kW`);
}

/** Every device has a setpoint that its meter has proven, and none was found to ignore one. */
export function checkProofs(stage: Stage, sites: ReadonlyMap<string, GatewayHandle>): void {
  const devices = [...sites.values()].flatMap((site) => site.status().devices);
  const unproven = devices.filter(({ verdicts }) => verdicts.effective === 0).map(({ era }) => era);
  const ignoring = devices.filter(({ verdicts }) => verdicts.ignored > 0).map(({ era }) => era);
  const effective = devices.reduce((sum, { verdicts }) => sum + verdicts.effective, 0);
  const setpoints = devices.reduce((sum, device) => sum + device.setpoints, 0);
  stage.table(
    "What became of the setpoints",
    ["device", "protocol", "setpoints", "effective", "partial", "superseded", "other"],
    devices.map(({ era, protocol, setpoints: count, verdicts }) => {
      const { effective: done, partial, superseded, ...others } = verdicts;
      return [
        era,
        protocol,
        count,
        done,
        partial,
        superseded,
        Object.values(others).reduce((sum, one) => sum + one, 0),
      ];
    }),
  );
  stage.check(
    "the meter of every device proves a setpoint",
    unproven.length === 0,
    unproven.length === 0 ? `${effective} effective of ${setpoints}` : `not of ${unproven.join(", ")}`,
  );
  stage.check("no device ignores one", ignoring.length === 0, ignoring.join(", ") || "none");
}

function seconds(ms: number): string {
  return `${ms / 1000}s`;
}
