import type { ObjectiveReport } from "./api/status-report.ts";
import { objectiveOf, policyOf } from "./bid-policy.ts";
import {
  type BidInput,
  type BidPolicy,
  makeBid,
  mustRun,
  objectiveOutlook,
  sameBid,
  usualPrices,
} from "./bidding/bidder.ts";
import { connectionShares, type SharedConnection } from "./bidding/connection-shares.ts";
import { OwnGoal } from "./bidding/own-goal.ts";
import { presentBand } from "./bidding/present-band.ts";
import { steadySoc } from "./bidding/steady-soc.ts";
import { type Clock, repeatEvery } from "./clock.ts";
import type { DeviceConfig, MarketConfig } from "./config/schema.ts";
import { DeviceGoal } from "./device-goal.ts";
import type { DeviceLane } from "./dispatch/device-lane.ts";
import type { Log } from "./log.ts";
import type { Participant } from "./market/participant.ts";
import { type BidCurve, consumesAtAnyPrice, curveFault } from "./model/bid-curve.ts";
import type { Limit } from "./model/limit.ts";
import type { Objective, ObjectiveOutlook } from "./model/objective.ts";
import type { Reading } from "./model/reading.ts";
import type { Era } from "./model/resource.ts";
import type { Judgement } from "./model/verdict.ts";
import type { ReductionReport } from "./site-flexibility.ts";
import { operatorLimit } from "./site-limits.ts";
import type { ObjectiveRecord } from "./store/control-store.ts";

/** How often a curve is looked at; a change is sent at most this often. */
const LOOK_MS = 1_000;
/** Readings that one telemetry message carries at most: the newest. */
const MAX_READINGS = 60;

/** What is known of prices and output beyond the device itself; each part only where it is known. */
export type BidOutlook = Pick<BidInput, "forecast" | "tariff" | "outputForecast" | "offeredSource">;

export interface BidKeeperOptions {
  readonly market: MarketConfig;
  readonly participant: Pick<Participant, "bid" | "needsBid" | "telemetry">;
  readonly clock: Clock;
  readonly log: Log;
  readonly devices: readonly KeptDevice[];
  /** Goals as they stood before a restart. */
  readonly goals: readonly ObjectiveRecord[];
  readonly saveGoal: (record: ObjectiveRecord) => void;
  /** Asked at each look at a device's curve. */
  readonly outlook?: (era: Era) => BidOutlook;
  /** What all devices share; absent: nothing bounds them together. */
  /** What the site's connection allows now. */
  readonly connection?: () => SharedConnection;
  /** What a utility has set for a device, whatever the others do. */
  readonly utilityLimits?: (era: Era) => readonly Limit[];
}

/** A device whose curve is kept. */
export interface KeptDevice {
  readonly config: DeviceConfig;
  readonly lane: Pick<DeviceLane, "capability" | "measuredKW" | "snapshot">;
}

interface Kept {
  readonly config: DeviceConfig;
  readonly lane: KeptDevice["lane"];
  readonly policy: BidPolicy;
  readonly goal: DeviceGoal;
  /** What the device itself wants; it counts where nobody else set a goal that is still ahead. */
  readonly ownGoal: OwnGoal;
  outlook?: ObjectiveOutlook;
  /** State of charge that the curve was made from. */
  socPercent?: number;
  curve?: BidCurve;
  curvesSent: number;
  readings: Reading[];
}

/**
 * Keeps the market informed of each device: a fresh curve whenever what the device can do has changed, telemetry at each
 * interval, and every final verdict at once.
 */
export class BidKeeper {
  readonly #options: BidKeeperOptions;
  readonly #kept = new Map<Era, Kept>();
  /** Goals as they stood before a restart, by ERA. */
  readonly #goals: ReadonlyMap<Era, ObjectiveRecord>;
  #shares: ReadonlyMap<Era, Limit> = new Map();

  constructor(options: BidKeeperOptions) {
    this.#options = options;
    this.#goals = new Map(options.goals.map((record) => [record.era, record]));
    for (const device of options.devices) this.add(device);
  }

  /** Keeps the curve of one more device. */
  add({ config, lane }: KeptDevice): void {
    this.#kept.set(config.era, {
      config,
      lane,
      policy: policyOf(config, this.#options.market),
      goal: new DeviceGoal({
        era: config.era,
        configured: objectiveOf(config),
        record: this.#goals.get(config.era),
        save: this.#options.saveGoal,
      }),
      ownGoal: new OwnGoal(),
      curvesSent: 0,
      readings: [],
    });
  }

  remove(era: Era): void {
    this.#kept.delete(era);
  }

  /** Curves sent for a resource since the start. */
  curvesSent(era: Era): number {
    return this.#kept.get(era)?.curvesSent ?? 0;
  }

  curve(era: Era): BidCurve | undefined {
    return this.#kept.get(era)?.curve;
  }

  /** How the objective of a resource stands at the last look; nothing if it has none. */
  outlook(era: Era): ObjectiveOutlook | undefined {
    return this.#kept.get(era)?.outlook;
  }

  /** The objective of a resource for a person, and how much of it is there; nothing if it has none. */
  objectiveStatus(era: Era): ObjectiveReport | undefined {
    const kept = this.#kept.get(era);
    if (kept === undefined) return undefined;
    const { objective, deliveredKWh } = goalOf(kept, this.#options.clock.now(), undefined);
    if (objective === undefined) return undefined;
    const { targetChargeKWh, deadlineMs } = objective;
    const status = kept.outlook?.status;
    return { targetChargeKWh, deadlineMs, deliveredKWh, ...(status && { status }) };
  }

  /** True if some of what a resource draws can't wait: a cleared power below its least one is then rounded up, not to 0. */
  mustRun(era: Era): boolean {
    const kept = this.#kept.get(era);
    const input = kept && this.#inputOf(kept);
    return kept !== undefined && input !== undefined && mustRun(input, kept.policy);
  }

  /**
   * A goal that came with an order takes the place of the one before.
   * @param currency of its highest price; absent: that of the market
   */
  setObjective(era: Era, objective: Objective, currency?: string): void {
    const kept = this.#kept.get(era);
    if (kept === undefined) return;
    const { market, log } = this.#options;
    if (objective.maxPricePerKWh !== undefined && currency !== undefined && currency !== market.currency) {
      log.warn("an order's objective shapes no bid: its highest price is in another currency", { era, currency });
      return;
    }
    // What goes first, price or deadline, is the site's own to say where the order does not.
    const priceMode = objective.priceMode ?? kept.goal.objective?.priceMode;
    kept.goal.set({ ...objective, ...(priceMode !== undefined && { priceMode }) }, kept.lane.snapshot());
  }

  /** What the device itself wants now; absent, it wants nothing any more. */
  setOwnObjective(era: Era, objective: Objective | undefined): void {
    const kept = this.#kept.get(era);
    kept?.ownGoal.set(objective, kept.lane.snapshot());
  }

  addReading(reading: Reading): void {
    const kept = this.#kept.get(reading.era);
    if (kept === undefined) return;
    insertByTime(kept.readings, reading);
    if (kept.readings.length > MAX_READINGS) kept.readings.shift();
    if (!reading.replayed) {
      kept.goal.take(reading);
      kept.ownGoal.take(reading);
    }
  }

  /** A verdict is known for good: the market hears it now and not at the next interval. */
  tellVerdict(judgement: Judgement): void {
    if (!judgement.final) return;
    this.#options.participant
      .telemetry({ era: judgement.era, readings: this.#kept.get(judgement.era)?.readings.slice(-5) ?? [], judgement })
      .catch((error: unknown) => this.#options.log.error("a verdict could not be queued", { reason: String(error) }));
  }

  /** The meters have said what a reduction brought: the market hears it, with the baselines that it is counted against. */
  tellReduction({ era, setpointId, methodology, meters }: ReductionReport): void {
    const named = meters.map(({ era: of, intervals }) => ({
      meterId: this.#kept.get(of)?.config.meters?.[0] ?? of,
      intervals,
    }));
    this.#options.participant
      .telemetry({ era, readings: [], performance: { setpointId, methodology, meters: named } })
      .catch((error: unknown) => this.#options.log.error("a reduction could not be told", { reason: String(error) }));
  }

  /** Bids and reports until `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, market } = this.#options;
    await Promise.all([
      market.participate ? repeatEvery(clock, LOOK_MS, signal, () => this.#bidAll()) : undefined,
      repeatEvery(clock, market.telemetryInterval, signal, () => this.#eachGuarded((kept) => this.#report(kept))),
    ]);
    for (const { goal } of this.#kept.values()) goal.save();
  }

  async #bidAll(): Promise<void> {
    // Once for all: each share follows from what all can do.
    this.#shares = this.#connectionShares();
    await this.#eachGuarded((kept) => this.#bid(kept));
  }

  async #bid(kept: Kept): Promise<void> {
    const { participant, log } = this.#options;
    const input = this.#inputOf(kept);
    if (input === undefined) return;
    if (input.socPercent !== undefined) kept.socPercent = input.socPercent;
    this.#lookAhead(kept, input);
    const curve = makeBid(input, kept.policy);
    const fault = curveFault(curve.points);
    if (fault !== undefined) throw new Error(`the curve is unsound at point ${fault.index}: ${fault.fault}`);
    if (sameBid(kept.curve, curve) && !participant.needsBid(kept.config.era)) return;
    const { objective } = input;
    // A market knows only goals to take energy.
    const told = objective !== undefined && objective.targetChargeKWh > 0 ? objective : undefined;
    await participant.bid(kept.config.era, curve, told, constraintsOf(curve, kept));
    if (consumesAtAnyPrice(curve) && objective === undefined && kept.curve === undefined) {
      log.warn("this curve consumes at any price, and no objective asks for that", { era: kept.config.era });
    }
    kept.curve = curve;
    kept.curvesSent += 1;
    log.debug("bid curve sent", { era: kept.config.era, points: curve.points });
  }

  /** What a curve follows from now; nothing for a device that can't be reached or has not said what it can do. */
  #inputOf(kept: Kept): BidInput | undefined {
    const { lane } = kept;
    const { capability } = lane;
    const { linkUp, socPercent, availability, limits = [] } = lane.snapshot();
    // A device that can't be reached promises nothing: no new bid, and the one before was made in good faith.
    if (capability === undefined || !linkUp) return undefined;
    const nowMs = this.#options.clock.now();
    const outlook = this.#options.outlook?.(kept.config.era);
    return {
      kind: kept.config.kind,
      capability,
      limits: [...this.#limitsOf(kept), ...limits],
      nowMs,
      ...(availability && { availability }),
      ...(socPercent !== undefined && { socPercent: steadySoc(kept.socPercent, socPercent) }),
      ...(lane.measuredKW !== undefined && { presentKW: lane.measuredKW }),
      ...goalOf(kept, nowMs, outlook),
      ...outlook,
    };
  }

  /** The operator's bounds, and the part of the site's connection that is this device's as long as all want theirs. */
  #limitsOf({ config }: Kept): readonly Limit[] {
    const share = this.#shares.get(config.era);
    return [...this.#ownLimitsOf(config), ...(share === undefined ? [] : [share])];
  }

  #ownLimitsOf(config: DeviceConfig): readonly Limit[] {
    return [operatorLimit(config), ...(this.#options.utilityLimits?.(config.era) ?? [])];
  }

  #connectionShares(): ReadonlyMap<Era, Limit> {
    const connection = this.#options.connection?.();
    if (connection?.maxImportKW === undefined && connection?.maxExportKW === undefined) return new Map();
    const bands = new Map(
      [...this.#kept].flatMap(([era, { config: of, lane, policy }]) => {
        const { capability } = lane;
        const { availability, limits = [] } = lane.snapshot();
        if (capability === undefined) return [];
        const bounds = {
          kind: of.kind,
          capability,
          limits: [...this.#ownLimitsOf(of), ...limits],
          ...(availability && { availability }),
        };
        return [[era, presentBand(bounds, policy.reserveSocPercent)]];
      }),
    );
    return connectionShares(connection, bands);
  }

  /** An objective that will be missed is said once, when it becomes known. */
  #lookAhead(kept: Kept, input: BidInput): void {
    const before = kept.outlook?.status;
    const now = objectiveOutlook(input, kept.policy);
    if (now === undefined) delete kept.outlook;
    else kept.outlook = now;
    if (now?.status !== "OBJECTIVE_AT_RISK" || before === now.status) return;
    this.#options.log.warn("the objective will be missed", {
      era: kept.config.era,
      shortfallKWh: Math.round(now.shortfallKWh * 1000) / 1000,
    });
  }

  async #report(kept: Kept): Promise<void> {
    if (kept.readings.length === 0) return;
    const { readings } = kept;
    const sent = await this.#options.participant.telemetry({
      era: kept.config.era,
      readings,
      ...(kept.curve && { curve: kept.curve, constraints: constraintsOf(kept.curve, kept) }),
    });
    if (sent) kept.readings = kept.readings.filter((reading) => !readings.includes(reading));
  }

  /** One device's trouble with its bid is its own. */
  async #eachGuarded(work: (kept: Kept) => Promise<void>): Promise<void> {
    for (const kept of this.#kept.values()) {
      try {
        await work(kept);
      } catch (error) {
        this.#options.log.error("bid or telemetry failed", { era: kept.config.era, reason: String(error) });
      }
    }
  }
}

/** The goal that counts, with what is there of it: that of an order or the config, and after its deadline the device's own. */
function goalOf(
  { goal, ownGoal, config, policy }: Kept,
  nowMs: number,
  outlook: BidOutlook | undefined,
): Pick<BidInput, "deliveredKWh" | "objective"> {
  const { roundTripEfficiency } = policy.storage;
  const set = goal.objective;
  const own = ownGoal.objective;
  const isOwn = own !== undefined && (set === undefined || (set.deadlineMs <= nowMs && own.deadlineMs > nowMs));
  if (isOwn) {
    return {
      deliveredKWh: ownGoal.deliveredKWh(roundTripEfficiency),
      objective: pricedObjective(own, config, policy, outlook),
    };
  }
  return { deliveredKWh: goal.deliveredKWh(roundTripEfficiency), ...(set && { objective: set }) };
}

/**
 * A device knows when and how much, and nothing of prices. The most that is paid for energy that can wait is then what the
 * config says of the device, else what its kind pays as a rule; with prices known ahead there is nothing to be assumed.
 */
function pricedObjective(
  objective: Objective,
  { kind }: DeviceConfig,
  { prices: configured }: BidPolicy,
  outlook: BidOutlook | undefined,
): Objective {
  if (objective.maxPricePerKWh !== undefined) return objective;
  const knowsPrices = outlook?.forecast !== undefined || outlook?.tariff !== undefined;
  const prices = configured ?? (knowsPrices ? undefined : usualPrices(kind));
  return prices === undefined ? objective : { ...objective, maxPricePerKWh: prices.to };
}

/** What was measured while a link was down comes late, and belongs before what was measured since. */
function insertByTime(readings: Reading[], reading: Reading): void {
  const timeOf = ({ deviceTimeMs, receivedAtMs }: Reading) => deviceTimeMs ?? receivedAtMs;
  const after = readings.findLastIndex((other) => timeOf(other) <= timeOf(reading));
  readings.splice(after + 1, 0, reading);
}

function constraintsOf(
  curve: BidCurve,
  kept: Kept,
): { minPowerKW: number; maxPowerKW: number; rampRateKWPerMin?: number } {
  const powers = curve.points.map((point) => point.powerKW);
  const ramp = kept.lane.capability?.rampRateKWPerMin;
  return {
    minPowerKW: Math.min(0, ...powers),
    maxPowerKW: Math.max(0, ...powers),
    ...(ramp !== undefined && { rampRateKWPerMin: ramp }),
  };
}
