import type { DeviceStatus } from "../../src/api/status-report.ts";
import type { GatewayHandle, MarketRound, ProviderHandle } from "../../src/cli/scenario-parts.ts";
import { PATIENT, type StageDevice } from "./site-devices.ts";
import type { Party, Stage } from "./stage.ts";

export const MARKET_ID = "market.scenario.example";
/** Intervals that may go by without a whole round: the first ones, and what a busy machine lets pass. */
const GRACE_INTERVALS = 6;
/** More rows, and more names in a row, than this nobody reads. */
const MAX_ROWS = 12;
const MAX_NAMES = 6;
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
  /** Others whom the market knows. */
  readonly guests?: readonly Party[];
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
    trustedKeys: [...siteParties, ...(options.guests ?? [])].map(({ subscriberId, keyId, publicKey }) => ({
      subscriberId,
      keyId,
      publicKey,
    })),
    signingKey: { keyId: marketParty.keyId, privateKeyFile: marketParty.privateKeyFile },
    market: {
      currency,
      interval: seconds(intervalMs),
      gate: seconds(gateMs),
      confirmWithin: seconds(gateMs * 0.9),
      // A busy machine may be late with some; nobody's bid is to end for that.
      maxMissedOffers: 1000,
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
  await stage.until("all devices", 3_600_000, () =>
    [...sites.values()].every((site) => site.status().devices.every((device) => device.linkUp)),
  );
  return { market, sites, marketParty };
}

/** The number of clearings that traded something, oldest first. */
export async function tradedRounds(market: ProviderHandle): Promise<readonly MarketRound[]> {
  return (await market.rounds()).filter((round) => round.orders.length > 0);
}

/** From here on in an interval devices are looked at, and until here they have time to follow; shares of it. */
const LOOKED_AT_FROM = 0.5;
const LOOKED_AT_UNTIL = 0.95;

/**
 * Rounds in which everybody has an order, each when its devices have followed. A round of which a busy machine has missed
 * a part is left out, and so is one that nobody follows: where that happens always, there are too few in the end.
 * @param options.orders how many make a round whole
 * @param options.isFollowed whether the devices do what they were told
 */
export async function* followedRounds(
  stage: Stage,
  market: ProviderHandle,
  options: {
    readonly orders: number;
    readonly rounds: number;
    readonly intervalMs: number;
    readonly isFollowed: () => boolean;
  },
): AsyncGenerator<MarketRound> {
  const { orders, rounds, intervalMs, isFollowed } = options;
  const giveUpAtMs = stage.clock.now() + intervalMs * (rounds + GRACE_INTERVALS);
  let lastMs = 0;
  for (let told = 0; told < rounds && stage.clock.now() < giveUpAtMs; ) {
    await stage.pass(intervalMs / 20);
    const whole = (await tradedRounds(market)).filter((round) => round.orders.length === orders);
    const share = (startMs: number) => (stage.clock.now() - startMs) / intervalMs;
    const round = whole.find(({ startMs }) => LOOKED_AT_FROM <= share(startMs) && share(startMs) < LOOKED_AT_UNTIL);
    if (round === undefined || round.startMs === lastMs || !isFollowed()) continue;
    lastMs = round.startMs;
    told += 1;
    yield round;
  }
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
  stage.check("every clearing balances", worstKW <= 1e-6, `worst imbalance ${tiny(worstKW)} kW, 1e-6 allowed`);
  const strayKW = Math.max(
    0,
    ...rounds.flatMap(({ result, orders }) =>
      orders.map((order) => {
        const cleared = result.setpoints.find(({ era }) => era === order.era);
        return Math.abs(order.powerKW - (cleared?.powerKW ?? Number.POSITIVE_INFINITY));
      }),
    ),
  );
  stage.check("every order is what was cleared", strayKW <= 1e-6, `worst difference ${tiny(strayKW)} kW`);
}

/** A number that is 0 but for rounding. */
function tiny(value: number): string {
  return value === 0 ? "0" : value.toExponential(1);
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
    ["device", "protocol", "setpoints", "effective", "partial", "superseded", "other", "running"],
    alike(devices).map((group) => {
      const [first] = group;
      const sum = (of: (device: DeviceStatus) => number) => group.reduce((total, device) => total + of(device), 0);
      const count = sum((device) => device.setpoints);
      const ended = (device: DeviceStatus) => Object.values(device.verdicts).reduce((total, one) => total + one, 0);
      const done = sum(({ verdicts }) => verdicts.effective);
      const partial = sum(({ verdicts }) => verdicts.partial);
      const superseded = sum(({ verdicts }) => verdicts.superseded);
      return [
        group.length <= MAX_NAMES
          ? group.map(({ era }) => era).join(", ")
          : `${first?.era} … ${group.at(-1)?.era} (${group.length})`,
        first?.protocol ?? "",
        count,
        done,
        partial,
        superseded,
        sum(ended) - done - partial - superseded,
        count - sum(ended),
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

/** Many devices of one kind and protocol are one row. */
function alike(devices: readonly DeviceStatus[]): readonly (readonly DeviceStatus[])[] {
  if (devices.length <= MAX_ROWS) return devices.map((device) => [device]);
  const groups = new Map<string, DeviceStatus[]>();
  for (const device of devices) {
    const kind = `${device.era.replace(/\d+$/, "")} ${device.protocol}`;
    groups.set(kind, [...(groups.get(kind) ?? []), device]);
  }
  return [...groups.values()];
}

function seconds(ms: number): string {
  return `${ms / 1000}s`;
}
